package config

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// selectResources answers a query from the newest items of what exists. Where there is no recorder it finds nothing and says
// so with an empty list: the operation has no error for it.
func (s *Service) selectResources(r *cloud.Request) (map[string]any, error) {
	n, err := limit(r, "Limit", 25)
	if err != nil {
		return nil, err
	}
	q, err := parse(r.Str("Expression"))
	if err != nil {
		return nil, err
	}
	results, fields := []any{}, []any{}
	if rec := s.recorders[place{r.Account(), r.Region}]; rec != nil {
		for _, h := range rec.histories {
			doc := h.last().document()
			if h.alive() && !slices.ContainsFunc(q.where, func(c condition) bool { return !c.holds(doc) }) {
				results = append(results, q.answer(doc))
			}
		}
	}
	for _, f := range q.fields {
		fields = append(fields, map[string]any{"Name": f})
	}
	out, err := paged(s.c, results, r.Str("NextToken"), "Results", "NextToken", n)
	if err != nil {
		return nil, err
	}
	out["QueryInfo"] = map[string]any{"SelectFields": fields}
	return out, nil
}

// answer is one result: the selected fields as JSON text.
func (q query) answer(doc map[string]any) string {
	out := map[string]any{}
	for _, f := range q.fields {
		project(doc, strings.Split(f, "."), out)
	}
	return text(out)
}

// document is an item as queries see it: the configuration is a structure.
func (i item) document() map[string]any {
	var body any
	_ = json.Unmarshal([]byte(i.body), &body) // what text wrote; of what is gone nothing
	tags := []any{}
	for _, k := range slices.Sorted(maps.Keys(i.tags)) {
		tags = append(tags, map[string]any{"key": k, "value": i.tags[k], "tag": k + "=" + i.tags[k]})
	}
	return map[string]any{
		"version": "1.3", "accountId": i.account, "configurationItemCaptureTime": stamp(i.at), "configurationItemStatus": i.status,
		"configurationStateId": i.state, "arn": i.arn, "resourceType": i.kind, "resourceId": i.id, "resourceName": i.name,
		"awsRegion": i.region, "availabilityZone": i.zone, "resourceCreationTime": stamp(i.created), "tags": tags,
		"configuration": body, "supplementaryConfiguration": map[string]any{},
	}
}
