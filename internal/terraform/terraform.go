// Package terraform reads what `terraform show -json` prints, of a state or of a saved plan, as facts about the resources that pipelines
// rest on. It runs no Terraform and keeps no value that may be a secret.
package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/unjam/unjam/internal/fact"
)

// MaxSize is how large a file may be, in bytes: the state of a very large account is some tens of megabytes.
const MaxSize = 64 << 20

// Flatten turns a JSON document into values, with secrets sealed.
type Flatten func(raw []byte) (fact.Values, error)

// Read reads a state or a plan. name is the file's, for messages and sources. Resources of other kinds are left out.
func Read(name string, text []byte, flatten Flatten) ([]fact.Declared, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("read %s: it is larger than 64 MB", name)
	}
	var shape struct {
		Plan    json.RawMessage `json:"planned_values"`
		Changes json.RawMessage `json:"resource_changes"`
		Values  json.RawMessage `json:"values"`
		Version string          `json:"format_version"`
		Serial  *int64          `json:"serial"`
	}
	if err := json.Unmarshal(text, &shape); err != nil {
		return nil, fmt.Errorf("read %s: it is not the JSON of `terraform show -json`: %w", name, err)
	}
	r := reader{file: filepath.Base(name), flatten: flatten}
	switch {
	case shape.Version == "" && shape.Serial != nil:
		return nil, fmt.Errorf("read %s: it is a raw state file: give the output of `terraform show -json`", name)
	case shape.Version == "":
		return nil, fmt.Errorf("read %s: it lacks format_version: give the output of `terraform show -json`", name)
	case shape.Plan != nil || shape.Changes != nil:
		var p tfjson.Plan
		if err := json.Unmarshal(text, &p); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		return r.plan(&p)
	}
	var s tfjson.State
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if s.Values == nil {
		return nil, nil // an empty state
	}
	return r.module(s.Values.RootModule, 0)
}

type reader struct {
	file    string
	flatten Flatten
}

// wanted are the types of resources that pipelines rest on.
func wanted(kind string) bool {
	return slices.Contains([]string{"aws_codepipeline", "aws_codestarconnections_connection", "aws_codeconnections_connection", "aws_codestarconnections_host",
		"aws_codeconnections_host", "aws_iam_role", "aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_iam_policy"}, kind)
}

// maxDepth is how deep modules may lie in one another.
const maxDepth = 64

var errDepth = errors.New("its modules lie more than 64 deep")

func (r reader) module(m *tfjson.StateModule, depth int) ([]fact.Declared, error) {
	if m == nil {
		return nil, nil
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("read %s: %w", r.file, errDepth)
	}
	var all []fact.Declared
	for _, x := range m.Resources {
		if x == nil || x.Mode != tfjson.ManagedResourceMode || !wanted(x.Type) {
			continue
		}
		d, err := r.declared(x.Address, x.Type, without(x.AttributeValues, x.SensitiveValues))
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	for _, child := range m.ChildModules {
		more, err := r.module(child, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// plan takes what the plan wants, and what it found changed outside Terraform.
func (r reader) plan(p *tfjson.Plan) ([]fact.Declared, error) {
	var all []fact.Declared
	if p.PlannedValues != nil {
		var err error
		if all, err = r.module(p.PlannedValues.RootModule, 0); err != nil {
			return nil, err
		}
	}
	for _, c := range p.ResourceDrift {
		if c == nil || c.Change == nil || !wanted(c.Type) {
			continue
		}
		before, err := r.values(strip(c.Change.Before, c.Change.BeforeSensitive, 0))
		if err != nil {
			return nil, err
		}
		after, err := r.values(strip(c.Change.After, c.Change.AfterSensitive, 0))
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(d fact.Declared) bool { return d.Address == c.Address })
		if i < 0 {
			d, err := r.declared(c.Address, c.Type, nil)
			if err != nil {
				return nil, err
			}
			d.Values, d.Name, d.ARN = before, before.Text("name"), before.Text("arn")
			all, i = append(all, d), len(all)
		}
		all[i].Drifted = fact.Diff(before, after)
	}
	return all, nil
}

func (r reader) declared(address, kind string, values map[string]any) (fact.Declared, error) {
	v, err := r.values(values)
	if err != nil {
		return fact.Declared{}, fmt.Errorf("read %s: %s: %w", r.file, address, err)
	}
	d := fact.Declared{Tool: "terraform", File: r.file, Address: address, Type: kind, ARN: v.Text("arn"), Name: v.Text("name"), Values: v}
	if d.ARN == "" && strings.HasPrefix(v.Text("id"), "arn:") {
		d.ARN = v.Text("id")
	}
	d.Seen = fact.Seen{About: fact.Ref{Kind: fact.KindDeclared, ID: r.file + "#" + address}, From: fact.Source{Service: "terraform", Operation: "show", RequestID: r.file}}
	return d, nil
}

// without are values without those that Terraform marks as sensitive.
func without(values map[string]any, marks json.RawMessage) map[string]any {
	var m any
	if len(marks) == 0 || json.Unmarshal(marks, &m) != nil {
		return values
	}
	kept, _ := strip(values, m, 0).(map[string]any)
	return kept
}

// strip is a value without what a document of the same shape marks with true.
func strip(v, mark any, depth int) any {
	if mark == true || depth > maxDepth {
		return nil
	}
	switch x := v.(type) {
	case map[string]any:
		marks, _ := mark.(map[string]any)
		out := make(map[string]any, len(x))
		for k, y := range x {
			out[k] = strip(y, marks[k], depth+1)
		}
		return out
	case []any:
		marks, _ := mark.([]any)
		out := make([]any, len(x))
		for i, y := range x {
			var m any
			if i < len(marks) {
				m = marks[i]
			}
			out[i] = strip(y, m, depth+1)
		}
		return out
	}
	return v
}

func (r reader) values(v any) (fact.Values, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	if string(b) == "null" {
		return fact.Values{}, nil
	}
	return r.flatten(b)
}

// At stamps the facts with the time they were read.
func At(all []fact.Declared, at time.Time) []fact.Fact {
	out := make([]fact.Fact, 0, len(all))
	for _, d := range all {
		d.From.At = at.UTC()
		out = append(out, d)
	}
	return out
}
