"""Secrets: taken out by their key and by their look, and nothing else is touched."""

import pytest

from resilience_cli.adapters.masking import mask, mask_text

KEY_ID = "AKIA" + "IOSFODNN7EXAMPLE"


@pytest.mark.parametrize("key", ["password", "Secret", "SessionToken", "aws_session_token", "Authorization", "apiKey"])
def test_a_value_under_a_secret_key_is_masked(key: str) -> None:
    assert mask({"a": [{key: "hunter2"}]}) == {"a": [{key: "***"}]}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"key {KEY_ID} denied", "key AKIA*** denied"),
        ("ASIA" + "QWERTYUIOPASDFGH", "ASIA***"),
        ("token IQoJ" + "b3JpZ2lu" * 8 + " end", "token *** end"),
        ("AWS_SECRET_ACCESS_KEY=abc/def rest", "AWS_SECRET_ACCESS_KEY=*** rest"),
        ("https://x/?X-Amz-Security-Token=abc&a=1", "https://x/?X-Amz-Security-Token=***&a=1"),
        ("https://me:pw@host/x", "https://***@host/x"),
        ("Bearer abcdefghijkl", "Bearer ***"),
    ],
)
def test_text_that_looks_like_a_credential_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_what_is_no_secret_stays_as_it_is() -> None:
    plain = {
        "routing_control": "arn:aws:route53-recovery-control::123456789012:controlpanel/abc/routingcontrol/def",
        "evidence": "PASSED at 12:00:00Z, api.example.com answers https://d-west.example.com:443/health",
        "digest": "a389493dc4bacddb52f9c1f7b1250c4df35574f93b86f983f73c71df074298c5",
        "effect": 0,
        "token": None,
    }
    assert mask(plain) == plain
