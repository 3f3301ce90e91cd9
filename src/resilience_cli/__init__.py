"""resil: move a multi-Region AWS application's traffic out of a Region and back, and prove it.

The story of one run, and the order of the modules::

    config + runbook -> observe -> assess -> plan (-> simulate) -> approve -> execute <-> journal -> verify -> report

Deciding is pure (``assess``, ``routing``, ``planner``, ``simulate``, ``journal``); acting is a thin shell
(``observe``, ``execute``) over ``ports``, which ``adapters`` implement and ``wiring`` puts together.
"""

__version__ = "0.1.0"
