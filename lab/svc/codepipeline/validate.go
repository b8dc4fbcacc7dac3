package codepipeline

import (
	"regexp"
	"slices"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
)

// The patterns of the API model, anchored.
var (
	executionID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	clientToken = regexp.MustCompile(`^[a-zA-Z0-9-]{1,128}$`)
	heldBecause = regexp.MustCompile(`^[a-zA-Z0-9!@ ().*?-]{1,300}$`)
)

// validate judges the input of a call by itself: required members, patterns and enums.
func validate(r *cloud.Request, required []string) error {
	for _, m := range required {
		if r.In[m] == nil {
			return cloud.Errorf("ValidationException", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", m)
		}
	}
	for _, p := range []struct {
		member string
		re     *regexp.Regexp
	}{{"name", pipelineName}, {"pipelineName", pipelineName}, {"pipelineExecutionId", executionID}, {"clientRequestToken", clientToken}} {
		if v, ok := r.In[p.member].(string); ok && !p.re.MatchString(v) {
			return invalid(p.member, v, "Member must satisfy regular expression pattern: "+strings.Trim(p.re.String(), "^$"))
		}
	}
	if v, ok := r.In["reason"].(string); ok && r.Operation == "DisableStageTransition" && !heldBecause.MatchString(v) {
		return invalid("reason", v, "Member must satisfy regular expression pattern: "+strings.Trim(heldBecause.String(), "^$"))
	}
	if err := oneOf(r.In, "", "retryMode", "FAILED_ACTIONS", "ALL_ACTIONS"); err != nil {
		return err
	}
	return oneOf(r.In, "", "transitionType", "Inbound", "Outbound")
}

// oneOf refuses a member whose value is none of an enum; an absent one is fine.
func oneOf(m map[string]any, path, member string, values ...string) error {
	v, ok := m[member].(string)
	if !ok || slices.Contains(values, v) {
		return nil
	}
	return invalid(path+member, v, "Member must satisfy enum value set: ["+strings.Join(values, ", ")+"]")
}

func invalid(member, value, constraint string) *cloud.Error {
	return cloud.Errorf("ValidationException", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}
