"""A template of CloudFormation as a stack has it: parameters, conditions and functions are worked out."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

#: What CloudFormation itself knows of a stack.
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "index",
    "AWS::URLSuffix": "amazonaws.com",
}
LAMBDA_ARN = "arn:aws:lambda:us-east-1:123456789012:function:{}"
#: What each operation of S3 is in a policy, where that has another name (Amazon S3, "Required permissions for
#: Amazon S3 API operations").
ACTIONS_OF_S3 = {
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListObjectsV2": "ListBucket",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
}
_NOTHING = object()


class _Loader(yaml.SafeLoader):
    """Reads the short forms of functions, such as ``!Ref``."""


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {"Ref" if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


class Stack:
    """What a template makes.

    Args:
        template: the file.
        parameters: those that are given.
        made: what AWS would call what it has made, by ``Name`` or ``Name.Attribute``.
    """

    def __init__(self, template: Path, parameters: Mapping[str, Any], made: Mapping[str, str]) -> None:
        # Made of PyYAML's safe loader, which makes plain values alone.
        self.template = yaml.load(template.read_text(encoding="utf-8"), _Loader)  # noqa: S506
        defaults = {name: about.get("Default") for name, about in self.template["Parameters"].items()}
        self._known = {**PSEUDO, **defaults, **parameters, **made}

    @cached_property
    def resources(self) -> dict[str, Any]:
        """The resources that are made."""
        return {
            name: self._worked_out(resource)
            for name, resource in self.template["Resources"].items()
            if self._holds(resource.get("Condition"))
        }

    def of_type(self, kind: str) -> dict[str, Any]:
        """Return the properties of the resources of a type, by name."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def _holds(self, condition: str | None) -> bool:
        return condition is None or self._is_true(self.template["Conditions"][condition])

    def _is_true(self, condition: Any) -> bool:
        ((kind, value),) = condition.items()
        if kind == "Fn::Not":
            return not self._is_true(value[0])
        assert kind == "Fn::Equals"
        one, other = map(self._worked_out, value)
        return bool(one == other)

    def _worked_out(self, value: Any) -> Any:
        if isinstance(value, list):
            return [found for item in value if (found := self._worked_out(item)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((kind, inner),) = value.items()
            if kind in _FUNCTIONS:
                return _FUNCTIONS[kind](self, inner)
        found = {key: self._worked_out(inner) for key, inner in value.items()}
        return {key: inner for key, inner in found.items() if inner is not _NOTHING}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        return self._known.get(name, name)

    def _attribute(self, name: str) -> str:
        resource = name.partition(".")[0]
        kind = self.template["Resources"][resource]["Type"]
        default = LAMBDA_ARN.format(self._ref(resource)) if kind == "AWS::Lambda::Function" else name
        return str(self._known.get(name, default))

    def _substituted(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            return self._attribute(match[1]) if "." in match[1] else str(self._ref(match[1]))

        return re.sub(r"\$\{([\w:.]+)\}", value, text)

    def _chosen(self, choice: list[Any]) -> Any:
        condition, one, other = choice
        return self._worked_out(one if self._holds(condition) else other)

    def _joined(self, what: list[Any]) -> str:
        between, items = what[0], self._worked_out(what[1])
        return items if isinstance(items, str) else between.join(items)


_FUNCTIONS = {
    "Ref": Stack._ref,
    "Fn::GetAtt": Stack._attribute,
    "Fn::Sub": Stack._substituted,
    "Fn::If": Stack._chosen,
    "Fn::Join": Stack._joined,
}


def granted(role: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the pairs of an action and a resource that a role allows: without conditions, as ours are."""
    pairs = []
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement.keys() <= {"Effect", "Action", "Resource"}
            assert statement["Effect"] == "Allow"
            pairs += [
                (action, resource)
                for action in _listed(statement["Action"])
                for resource in _listed(statement["Resource"])
            ]
    return pairs


def may(role: Mapping[str, Any], action: str, resource: str) -> bool:
    """Whether a role allows an action on a resource."""
    return any(action == allowed and fnmatchcase(resource, pattern) for allowed, pattern in granted(role))


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
