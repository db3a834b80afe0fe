"""Post: mail and SMS to people, sent from a queue until they are taken, or at once."""

from .carriers import PostFailed, PostRefused, can_mail, can_text, carry
from .faults import NotNow
from .letters import deliver, put, states_of, writes
from .mail import Attachment, Mail
from .quickly import PostBusy, send_soon
from .sms import Sms

__all__ = [
    "Attachment", "Mail", "NotNow", "PostBusy", "PostFailed", "PostRefused", "Sms", "can_mail",
    "can_text", "carry", "deliver", "put", "send_soon", "states_of", "writes",
]  # fmt: skip
