package fact

import (
	"slices"
	"strconv"
	"strings"
)

// Fielder is a fact whose single values can be named, so that a plan can say as data what it relies on.
type Fielder interface {
	Fact
	// Field returns the value at a path; false when the fact has no such field now.
	Field(path string) (string, bool)
}

// Partial is a Fielder that may have been read in part: of a field that is Missing nobody knows what it holds.
type Partial interface {
	// Missing reports whether the field at a path may exist and was not read.
	Missing(path string) bool
}

// Field knows "status".
func (c Connection) Field(path string) (string, bool) {
	return c.Status, path == "status"
}

// Field knows "status".
func (h Host) Field(path string) (string, bool) {
	return h.Status, path == "status"
}

// Field knows "version", "definition", "declaration", below "store/" and "store-key/" the bucket and the key of a Region's artifact store ("" for
// none) and, below "STAGE/ACTION/", "connection" and "type" (as CustomActionType names one).
func (p Pipeline) Field(path string) (string, bool) {
	switch path {
	case "version":
		return strconv.Itoa(p.Version), true
	case "definition":
		return string(p.Definition), true
	case "declaration":
		return string(p.Declaration), true
	}
	if region, ok := strings.CutPrefix(path, "store/"); ok {
		s, _ := p.Store(region)
		return s.Bucket, true
	}
	if region, ok := strings.CutPrefix(path, "store-key/"); ok {
		s, _ := p.Store(region)
		return s.Key, true
	}
	for _, st := range p.Stages {
		for _, a := range st.Actions {
			if path == st.Name+"/"+a.Name+"/type" {
				return a.TypeName(), true
			}
		}
	}
	for st, a := range p.Sources {
		if path == st.Name+"/"+a.Name+"/connection" {
			return a.Connection, true
		}
	}
	return "", false
}

// Field knows, below "inline/", the names of inline policies: the digest of each document; below "trusts/", services: "yes" where the
// trust policy names them, else "no"; "documents": the digest of all documents; "trust": the digest of the trust policy.
func (r RolePolicies) Field(path string) (string, bool) {
	if service, ok := strings.CutPrefix(path, "trusts/"); ok {
		return map[bool]string{true: "yes", false: "no"}[strings.Contains(r.Trust, service)], true
	}
	switch path {
	case "documents":
		return string(DigestOf(r.Documents)), true
	case "trust":
		return TrustDigest(r.Trust), true
	}
	for _, d := range r.Documents {
		if d.ARN == "" && path == "inline/"+d.Name {
			return string(DigestOf(d.Document)), true
		}
	}
	return "", false
}

// Missing reports whether the inline policy of a field may exist and was not read.
func (r RolePolicies) Missing(path string) bool {
	name, inline := strings.CutPrefix(path, "inline/")
	if _, read := r.Field(path); read || !inline {
		return false
	}
	return r.More || slices.Contains(r.Unread, name)
}

// Field knows "version", "STAGE/status", "STAGE/execution", "STAGE/transition" (enabled or disabled), "STAGE/reason" (why it is
// disabled), "STAGE/waiting" (the runs that wait to enter, with commas), and, below "STAGE/ACTION/", "status", "id", "error" and
// "running" (the id while it is InProgress). Stage and action names contain no slash (API_StageDeclaration).
func (s PipelineState) Field(path string) (string, bool) {
	p := strings.Split(path, "/")
	if path == "version" {
		return strconv.Itoa(s.Version), true
	}
	st, ok := s.Stage(p[0])
	if !ok {
		return "", false
	}
	if len(p) == 2 {
		switch p[1] {
		case "status":
			return st.Status, true
		case "execution":
			return st.Execution, true
		case "transition":
			if st.TransitionEnabled {
				return "enabled", true
			}
			return "disabled", true
		case "reason":
			return st.DisabledReason, true
		case "waiting":
			return strings.Join(st.Waiting, ","), true
		}
	}
	if len(p) == 3 {
		if a, ok := st.Action(p[1]); ok {
			switch p[2] {
			case "status":
				return a.Status, true
			case "id":
				return a.ID, true
			case "error":
				return a.Error, true
			case "running":
				if a.Status != "InProgress" {
					return "", true
				}
				return a.ID, true
			}
		}
	}
	return "", false
}
