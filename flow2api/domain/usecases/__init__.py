"""What flow2api does: each module orders steps over the ports."""
