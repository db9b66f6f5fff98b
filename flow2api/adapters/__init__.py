"""Everything that talks to the outside, in either direction."""
