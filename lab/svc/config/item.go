package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// history is what a recorder knows of one resource: its items, oldest first.
type history struct {
	kind, id, name string
	items          []item
}

// item is a configuration item: a resource as it was found at one time.
type item struct {
	at      time.Time // of capture and of delivery
	status  string    // ResourceDiscovered, OK or ResourceDeleted
	state   string    // configurationStateId
	daily   bool
	account string
	resource
}

// The statuses of items that the lab records.
const (
	discovered = "ResourceDiscovered"
	changed    = "OK"
	deleted    = "ResourceDeleted"
)

func (h *history) last() item { return h.items[len(h.items)-1] }

// alive reports whether the resource is known to exist.
func (h *history) alive() bool { return h.last().status != deleted }

// record writes a resource down as it is now, if that is news.
func (s *Service) record(r *recorder, kind, name string) {
	if !r.on || !r.takes(kind) {
		return
	}
	now, exists := s.read(kind, r.Setting, name)
	for _, h := range r.histories {
		if h.kind == kind && h.name == name && h.alive() && (!exists || h.id != now.id) {
			gone := h.last().resource
			gone.body, gone.tags = "", nil
			s.add(r, h, deleted, gone)
		}
	}
	if !exists {
		return
	}
	h := r.find(kind, now.id)
	switch {
	case h == nil:
		h = &history{kind: kind, id: now.id, name: name}
		r.histories = append(r.histories, h)
		s.add(r, h, discovered, now)
	case !h.alive():
		s.add(r, h, discovered, now)
	case h.last().body != now.body || !maps.Equal(h.last().tags, now.tags):
		s.add(r, h, changed, now)
	}
}

func (s *Service) add(r *recorder, h *history, status string, x resource) {
	at := s.c.Now()
	h.items = append(h.items, item{at: at, status: status, state: fmt.Sprint(at.UnixMilli()), daily: r.Daily, account: r.Account, resource: x})
}

// find finds the history of a resource by its ID; nil when there is none.
func (r *recorder) find(kind, id string) *history {
	for _, h := range r.histories {
		if h.kind == kind && h.id == id {
			return h
		}
	}
	return nil
}

// wire is an item as GetResourceConfigHistory shows it. Related events and the MD5 hash have been empty since item version 1.3.
// https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html
func (i item) wire() map[string]any {
	frequency := "CONTINUOUS"
	if i.daily {
		frequency = "DAILY"
	}
	m := map[string]any{
		"version": "1.3", "accountId": i.account, "configurationItemCaptureTime": i.at, "configurationItemDeliveryTime": i.at,
		"configurationItemStatus": i.status, "configurationStateId": i.state, "configurationItemMD5Hash": "", "arn": i.arn,
		"resourceType": i.kind, "resourceId": i.id, "resourceName": i.name, "awsRegion": i.region,
		"availabilityZone": i.zone, "resourceCreationTime": i.created, "relatedEvents": []any{}, "relationships": []any{},
		"recordingFrequency": frequency, "supplementaryConfiguration": map[string]string{}, "tags": map[string]string{},
	}
	if i.tags != nil {
		m["tags"] = i.tags
	}
	if i.body != "" {
		m["configuration"] = i.body
	}
	return m
}

// text spells a body as JSON.
func text(body map[string]any) string {
	b, err := json.Marshal(body)
	if err != nil {
		return "{}" // bodies are made of texts, numbers, lists and maps: this cannot happen
	}
	return string(b)
}
