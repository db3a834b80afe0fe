"""What the audit asks of consent and campaigns: nobody was told without having agreed, or twice,
and who was held out was told nothing."""

from __future__ import annotations

__all__ = ["RULES"]

RULES = (
    (
        "told_without_consent",
        "members whom a campaign told without their consent of that moment",
        """SELECT COUNT(*) FROM campaign_members m
            WHERE m.told_at IS NOT NULL AND NOT EXISTS (
              SELECT 1 FROM consents g
               WHERE g.member_id = m.member_id AND g.channel = m.channel AND g.what = 'given'
                 AND g.at <= m.told_at AND NOT EXISTS (
                   SELECT 1 FROM consents l
                    WHERE l.member_id = g.member_id AND l.channel = g.channel AND l.id > g.id
                      AND l.at < m.told_at))""",
    ),
    (
        "held_but_told",
        "members who were held out of a campaign and told all the same",
        """SELECT COUNT(*) FROM campaign_members m
            WHERE m.held = 1 AND (m.told_at IS NOT NULL OR m.letter_id IS NOT NULL
               OR m.state NOT IN ('drawn', 'passed') OR EXISTS (
                 SELECT 1 FROM letters l WHERE l.kind = 'campaign'
                    AND l.subject = CAST(m.campaign_id AS VARCHAR(20)) || ':'
                                 || CAST(m.member_id AS VARCHAR(20))))""",
    ),
    (
        "campaign_letters_twice",
        "members for whom a campaign put more than one letter into the post",
        """SELECT COUNT(*) FROM (
             SELECT subject FROM letters WHERE kind = 'campaign'
              GROUP BY subject HAVING COUNT(*) > 1) AS twice""",
    ),
    (
        "consents_said_twice",
        "words of consent that say what held already, or withdraw what nobody gave",
        """SELECT COUNT(*) FROM (
             SELECT what, place, LAG(what) OVER (
                      PARTITION BY member_id, channel ORDER BY id) AS before
               FROM consents) AS said
            WHERE place <> 'merge' AND (what = before
               OR (what = 'withdrawn' AND COALESCE(before, '') <> 'given'))""",
    ),
)
