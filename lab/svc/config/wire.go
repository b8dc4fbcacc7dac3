package config

import (
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// register puts the operations on the wire. Requests and errors are those of
// https://docs.aws.amazon.com/config/latest/APIReference/API_Operations.html
func (s *Service) register() {
	s.c.Register(&cloud.Service{
		Name: "config", Target: "StarlingDoveService", Version: "2014-11-12", Protocol: cloud.JSON11, EventSource: "config.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"GetResourceConfigHistory":            {ReadOnly: true, Do: s.getHistory},
			"ListDiscoveredResources":             {ReadOnly: true, Do: s.listDiscovered},
			"SelectResourceConfig":                {ReadOnly: true, Do: s.selectResources},
			"DescribeConfigurationRecorders":      {ReadOnly: true, Access: s.onRecorder, Do: s.describeRecorders},
			"DescribeConfigurationRecorderStatus": {ReadOnly: true, Access: s.onRecorder, Do: s.describeStatus},
		},
	})
}

func (s *Service) onRecorder(r *cloud.Request) []cloud.Access {
	return []cloud.Access{{Action: "config:" + r.Operation, Resource: "arn:aws:config:" + r.Region + ":" + r.Account() + ":configuration-recorder/*"}}
}

// here is the recorder of the caller's account in the request's Region.
func (s *Service) here(r *cloud.Request) (*recorder, error) {
	if rec := s.recorders[place{r.Account(), r.Region}]; rec != nil {
		return rec, nil
	}
	return nil, cloud.Errorf("NoAvailableConfigurationRecorderException",
		"There are no configuration recorders available to provide the role needed to describe your resources. Create a configuration recorder.")
}

// checkType refuses a resource type that AWS Config does not have.
func checkType(r *cloud.Request) error {
	kind := r.Str("resourceType")
	if kind == "" {
		return cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value null at 'resourceType' failed to satisfy constraint: Member must not be null")
	}
	if !slices.Contains(known(), kind) {
		return cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value '%s' at 'resourceType' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
			kind, strings.Join(known(), ", "))
	}
	return nil
}

// limit reads the page size of a request: 1 to 100; 0 and none mean def.
func limit(r *cloud.Request, member string, def int) (int, error) {
	n := r.Int(member, 0)
	if n < 0 || n > 100 {
		return 0, cloud.Errorf("InvalidLimitException", "The specified limit is outside the allowable range.")
	}
	if n == 0 {
		n = def
	}
	return n, nil
}

func (s *Service) getHistory(r *cloud.Request) (map[string]any, error) {
	if err := checkType(r); err != nil {
		return nil, err
	}
	n, err := limit(r, "limit", 10)
	if err != nil {
		return nil, err
	}
	rec, err := s.here(r)
	if err != nil {
		return nil, err
	}
	h := rec.find(r.Str("resourceType"), r.Str("resourceId"))
	if h == nil {
		return nil, cloud.Errorf("ResourceNotDiscoveredException", "Resource %s of resourceType:%s is unknown or has not been discovered", r.Str("resourceId"), r.Str("resourceType"))
	}
	w, err := s.span(r, h)
	if err != nil {
		return nil, err
	}
	if s.c.PageSize > 0 {
		n = min(n, s.c.PageSize)
	}
	page, next := w.page(h.items, n)
	items := []any{}
	for _, i := range page {
		items = append(items, i.wire())
	}
	out := map[string]any{"configurationItems": items}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

func (s *Service) listDiscovered(r *cloud.Request) (map[string]any, error) {
	if err := checkType(r); err != nil {
		return nil, err
	}
	ids, name := r.List("resourceIds"), r.Str("resourceName")
	if len(ids) > 0 && name != "" || len(ids) > 20 {
		return nil, cloud.Errorf(cloud.ValidationError, "You can specify either resource IDs, at most 20, or a resource name, but not both, in the same request.")
	}
	n, err := limit(r, "limit", 100)
	if err != nil {
		return nil, err
	}
	rec, err := s.here(r)
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, h := range rec.histories {
		if h.kind != r.Str("resourceType") || (name != "" && h.name != name) || (len(ids) > 0 && !slices.Contains(ids, any(h.id))) {
			continue
		}
		m := map[string]any{"resourceType": h.kind, "resourceId": h.id, "resourceName": h.name}
		if !h.alive() {
			if !r.Bool("includeDeletedResources") {
				continue
			}
			m["resourceDeletionTime"] = h.last().at
		}
		all = append(all, m)
	}
	return paged(s.c, all, r.Str("nextToken"), "resourceIdentifiers", "nextToken", n)
}

func paged(c *cloud.Cloud, all []any, token, member, tokenMember string, n int) (map[string]any, error) {
	page, next, err := cloud.Page(c, all, token, n, 100, "InvalidNextTokenException")
	if err != nil {
		return nil, err
	}
	out := map[string]any{member: page}
	if next != "" {
		out[tokenMember] = next
	}
	return out, nil
}

// named is the request's recorder as a list of one, or none. A recorder of another name than default does not exist.
func (s *Service) named(r *cloud.Request) ([]*recorder, error) {
	rec := s.recorders[place{r.Account(), r.Region}]
	for _, n := range r.List("ConfigurationRecorderNames") {
		if n != recorderName || rec == nil {
			return nil, cloud.Errorf("NoSuchConfigurationRecorderException", "Cannot find configuration recorder with the specified name '%v'.", n)
		}
	}
	if rec == nil {
		return nil, nil
	}
	return []*recorder{rec}, nil
}

// recorderName is what AWS calls the recorder unless told otherwise.
const recorderName = "default"

func (s *Service) describeRecorders(r *cloud.Request) (map[string]any, error) {
	all := []any{}
	found, err := s.named(r)
	for _, rec := range found {
		group := map[string]any{"allSupported": len(rec.Types) == 0, "includeGlobalResourceTypes": len(rec.Types) == 0, "resourceTypes": append([]string{}, rec.Types...)}
		strategy := "ALL_SUPPORTED_RESOURCE_TYPES"
		if len(rec.Types) > 0 {
			strategy = "INCLUSION_BY_RESOURCE_TYPES"
		}
		group["recordingStrategy"] = map[string]any{"useOnly": strategy}
		frequency := "CONTINUOUS"
		if rec.Daily {
			frequency = "DAILY"
		}
		all = append(all, map[string]any{
			"name": recorderName, "roleARN": "arn:aws:iam::" + rec.Account + ":role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
			"recordingGroup": group, "recordingMode": map[string]any{"recordingFrequency": frequency},
		})
	}
	return map[string]any{"ConfigurationRecorders": all}, err
}

func (s *Service) describeStatus(r *cloud.Request) (map[string]any, error) {
	all := []any{}
	found, err := s.named(r)
	for _, rec := range found {
		m := map[string]any{"name": recorderName, "recording": rec.on, "lastStatus": "Success", "lastStartTime": rec.started, "lastStatusChangeTime": rec.started}
		if s.c.Now().Before(rec.started.Add(s.Delay)) {
			m["lastStatus"] = "Pending"
		}
		if !rec.stopped.IsZero() {
			m["lastStopTime"] = rec.stopped
		}
		if !rec.on {
			m["lastStatusChangeTime"] = rec.stopped
		}
		all = append(all, m)
	}
	return map[string]any{"ConfigurationRecordersStatus": all}, err
}

// timeOf reads a time of a request: seconds since 1970; def when absent.
func timeOf(v any, def time.Time) time.Time {
	if f, ok := v.(float64); ok {
		return time.UnixMilli(int64(f * 1000)).UTC()
	}
	return def
}
