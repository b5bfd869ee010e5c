"""AWS Secrets Manager as far as boto3 asks it for a secret (API reference, GetSecretValue; JSON 1.1)."""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret"


class SecretsManager:
    """Knows secrets by the ends of their ARNs; a context manager that ends it.

    Attributes:
        asked: the ARNs that it was asked for, in turn.
    """

    def __init__(self, secrets: Mapping[str, str | bytes], refusals: Mapping[str, str] | None = None) -> None:
        self.asked: list[str] = []
        self._answers: dict[str, tuple[int, Any]] = {}
        for name, value in secrets.items():
            field = "SecretString" if isinstance(value, str) else "SecretBinary"
            shown = value if isinstance(value, str) else "AAEC"
            self._answers[f"{ARN}:{name}"] = (200, {"ARN": f"{ARN}:{name}", "Name": name, field: shown})
        for name, code in (refusals or {}).items():
            self._answers[f"{ARN}:{name}"] = (400, {"__type": code, "Message": f"User is told {code}"})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    def variables(self) -> dict[str, str]:
        """Return the variables in which boto3 finds it, and credentials."""
        address = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": address,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def answer(self, asked: Mapping[str, str]) -> tuple[int, Any]:
        """Return a status and an answer."""
        arn = asked["SecretId"]
        self.asked.append(arn)
        nothing = {"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find it."}
        return self._answers.get(arn, (400, nothing))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(manager: SecretsManager) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
            assert "/eu-central-1/secretsmanager/aws4_request" in self.headers["Authorization"]
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = manager.answer(asked)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    return Handler
