package write

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/unjam/unjam/internal/plan"
)

// masked stands in a declaration where AWS keeps a secret to itself. Sent back at the same place of the same stage and action it keeps the
// secret; anywhere else the secret is lost (docs/aws-facts.md, "Changing a pipeline").
const masked = "****"

var (
	errSecret = errors.New("the change touches a secret that AWS shows as ****: it would be lost")
	errName   = errors.New("the change would rename the pipeline: UpdatePipeline cannot")
)

// patched is a declaration after the edits. Members that no edit names stay as they are, byte for byte, numbers too. An edit that does not
// fit, one that renames the pipeline and one that touches a masked secret are refused.
func patched(raw json.RawMessage, edits []plan.Edit) (json.RawMessage, error) {
	if len(edits) == 0 {
		return raw, nil
	}
	for _, e := range edits {
		switch {
		case e.Op != "test" && e.Op != "replace" && e.Op != "add" && e.Op != "remove":
			return nil, fmt.Errorf("the patch has the operation %q: only test, replace, add and remove are made", e.Op)
		case bytes.Contains(e.Value, []byte(masked)):
			return nil, errSecret
		}
	}
	text, err := json.Marshal(edits)
	if err != nil {
		return nil, fmt.Errorf("write patch: %w", err)
	}
	p, err := jsonpatch.DecodePatch(text)
	if err != nil {
		return nil, fmt.Errorf("read patch: %w", err)
	}
	o := jsonpatch.NewApplyOptions()
	o.SupportNegativeIndices, o.EscapeHTML = false, false
	after, err := p.ApplyWithOptions(raw, o)
	if err != nil {
		return nil, fmt.Errorf("apply patch: %w", err)
	}
	old, err := secrets(raw)
	if err != nil {
		return nil, err
	}
	now, err := secrets(after)
	switch {
	case err != nil:
		return nil, err
	case old["/name"] != now["/name"]:
		return nil, errName
	case !maps.Equal(old, now):
		return nil, errSecret
	}
	return after, nil
}

// secrets are the parts of a declaration that hold masked values: for a stage's action the whole action, elsewhere the value, each as
// canonical JSON by the names of stage and action. Two declarations with the same parts keep the same secrets. "/name" is the pipeline's.
func secrets(raw json.RawMessage) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("read declaration: %w", err)
	}
	parts := map[string]string{}
	if o, ok := v.(map[string]any); ok {
		parts["/name"] = canonical(o["name"])
	}
	collect(v, "", parts)
	return parts, nil
}

// collect walks v; path names the way by names where there are some, else by place.
func collect(v any, path string, parts map[string]string) {
	if s, ok := v.(string); ok && strings.Contains(s, masked) {
		parts[path] += s + "\n" // two of one name: both
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if _, action := v["actionTypeId"]; action && strings.Contains(canonical(v), masked) {
			parts[path] += canonical(v) // two of one name: both
			return
		}
		for k, sub := range v {
			collect(sub, path+"/"+strconv.Quote(k), parts)
		}
	case []any:
		for i, sub := range v {
			at := strconv.Itoa(i)
			if o, ok := sub.(map[string]any); ok {
				if name, ok := o["name"].(string); ok {
					at = strconv.Quote(name)
				}
			}
			collect(sub, path+"/"+at, parts)
		}
	}
}

func canonical(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("write: decoded JSON does not marshal: " + err.Error())
	}
	return string(b)
}
