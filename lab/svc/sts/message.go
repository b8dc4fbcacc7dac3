package sts

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// maxMessage is the longest message that can be asked about, in characters.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
const maxMessage = 10240

// Encode is the text with which a service such as EC2 hides why it refused: "Encoded authorization failure message: " and
// a message that only DecodeAuthorizationMessage reads.
func (s *Service) Encode(p cloud.Principal, a cloud.Access, d cloud.Decision) string {
	token := s.text(160)
	s.messages[token] = decoded(p, a, d)
	return "Encoded authorization failure message: " + token
}

// decoded is what DecodeAuthorizationMessage makes of a refusal. The matched statements stay empty: the lab does not keep
// which they were.
func decoded(p cloud.Principal, a cloud.Access, d cloud.Decision) string {
	conditions := []any{}
	for _, key := range slices.Sorted(maps.Keys(a.Context)) {
		values := []any{}
		for _, v := range a.Context[key] {
			values = append(values, map[string]any{"value": v})
		}
		conditions = append(conditions, map[string]any{"key": key, "values": items(values)})
	}
	text, err := json.Marshal(map[string]any{
		"allowed": d.Allowed, "explicitDeny": strings.HasPrefix(d.Why, "with an explicit deny"), "matchedStatements": items([]any{}), "failures": items([]any{}),
		"context": map[string]any{
			"principal": map[string]any{"id": p.UserID, "arn": p.ARN}, "action": a.Action, "resource": a.Resource, "conditions": items(conditions),
		},
	})
	if err != nil {
		return "{}" // strings and lists of them only: cannot happen
	}
	return string(text)
}

func items(all []any) map[string]any { return map[string]any{"items": all} }

func (s *Service) decodeAuthorizationMessage(r *cloud.Request) (map[string]any, error) {
	token := r.Str("EncodedMessage")
	if n := len(token); n < 1 || n > maxMessage {
		return nil, cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value at 'encodedMessage' failed to satisfy constraint: Member must have length between 1 and %d", maxMessage)
	}
	text, ok := s.messages[token]
	if !ok {
		return nil, cloud.Errorf("InvalidAuthorizationMessageException", "The message you provided is invalid.")
	}
	return map[string]any{"DecodedMessage": text}, nil
}
