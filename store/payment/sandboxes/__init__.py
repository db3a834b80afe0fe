"""Sandboxes: practice providers, one file each, served beside the shop by `flask payment practice`.

The providers' own SDKs run against them, in the demo and in tests. A sandbox is faithful in what
matters: it checks our keys and signatures, signs its notices, keeps what it was told, answers the
same to the same request, refuses what the real one refuses, and tells late, twice or never when
the shopper asks for it on its page. What it keeps is in memory: practice money is gone with it.
"""
