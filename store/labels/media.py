"""Rolls for label printers, hang tags, and talkers that are cut or folded out of a sheet of A4.

Name, kind, width and height of a label and of the empty top of it, all in millimetres; of what lies
on a page also its width and height, and how many labels are side by side and one below the other.
"""

__all__ = ["TABLE"]

TABLE = """
50x30      roll   50    30    0
40x30      roll   40    30    0
57x32      roll   57    32    0
58x40      roll   58    40    0
60x40      roll   60    40    0
70x38      roll   70    38    0
76x51      roll   76    51    0
100x50     roll   100   50    0
tag-40x80  tag    40    80    12
tag-50x90  tag    50    90    14
talker-a7  talker 105   74.25 0    210  297  2  4
talker-a6  talker 148.5 105   0    297  210  2  2
talker-a5  talker 210   148.5 0    210  297  1  2
"""
