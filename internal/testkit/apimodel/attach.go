package apimodel

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/unjam/unjam/lab"
)

// modelModule is the Go module that carries the models.
const modelModule = "github.com/aws/aws-sdk-go"

// ofModule reads the models of the Go module once a process: they never change and are shared by all validators.
var ofModule = sync.OnceValues(func() (*Models, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", modelModule).Output()
	if err != nil {
		return nil, fmt.Errorf("find module %s: %w", modelModule, err)
	}
	return Load(strings.TrimSpace(string(out)))
})

// OfModule returns the models of the Go module github.com/aws/aws-sdk-go that go.mod names. It runs the go command, so it
// is for tests inside this module.
func OfModule() (*Models, error) { return ofModule() }

// Newer lists what the lab serves and AWS documents but the models of the Go module, of July 2024, do not have yet, and the Quirks. The
// full check holds the same exchanges against a current botocore without this list.
func Newer() []string {
	return append(Quirks(),
		"organizations.PolicyType=RESOURCE_CONTROL_POLICY", // of November 2024
		// Exclusions from the mutability of tags, of July 2025.
		"ecr.ImageTagMutability=IMMUTABLE_WITH_EXCLUSION", "ecr.ImageTagMutability=MUTABLE_WITH_EXCLUSION",
		"ecr.Repository.imageTagMutabilityExclusionFilters", "ecr.CreateRepositoryRequest.imageTagMutabilityExclusionFilters",
		"ecr.PutImageTagMutabilityRequest.imageTagMutabilityExclusionFilters", "ecr.PutImageTagMutabilityResponse.imageTagMutabilityExclusionFilters")
}

// Quirks lists what AWS answers in another way than every model of it says.
func Quirks() []string {
	return []string{
		// EC2 writes the states of endpoints in small letters, and two more values in another way than its model.
		"ec2.State=available", "ec2.State=pending", "ec2.State=deleting", "ec2.AttachmentStatus=available", "ec2.NetworkInterfaceType=nat_gateway",
		// AWS Health refuses accounts without a plan with an error that no model of it ever had.
		"health:DescribeEvents!SubscriptionRequiredException", "health:DescribeEventDetails!SubscriptionRequiredException",
		"health:DescribeAffectedEntities!SubscriptionRequiredException",
		// App Runner's model wants 32 characters and a UUID's 36 at once; AWS sends the 32 without the dashes.
		"apprunner.ServiceId~",
	}
}

// Broken lists the injections of the lab whose answers are broken on purpose: no AWS service ever sent them. The kinds that
// lose or cut an answer on its way are not among them: what the service answered is checked.
func Broken() []string { return []string{lab.HTML, lab.HTML503} }

// FromLab turns what the lab observes into an Exchange.
func FromLab(x lab.Exchange) Exchange {
	return Exchange{
		Service: x.Service, Operation: x.Operation, Method: x.Method, Path: x.Path, RequestHeader: x.RequestHeader, RequestBody: x.RequestBody,
		Status: x.Status, Header: x.Header, Body: x.Body, Injected: x.Injected,
	}
}

// Attach checks every exchange of a lab against the models of the Go module. At the end of the test every problem is an
// error of it, and the summary is logged. The returned Validator may be asked earlier.
func Attach(t testing.TB, l *lab.Lab) *Validator {
	t.Helper()
	models, err := OfModule()
	if err != nil {
		t.Fatal(err)
	}
	v := &Validator{Models: models, Newer: Newer(), Broken: Broken()}
	v.Watch(t, l)
	return v
}

// Watch lets v check every exchange of a lab, as Attach does with a Validator of its own. One Validator may watch many labs.
func (v *Validator) Watch(t testing.TB, l *lab.Lab) {
	t.Helper()
	var mu sync.Mutex
	seen := map[string]int{}
	l.Observe(func(x lab.Exchange) {
		for _, p := range v.Check(FromLab(x)) {
			mu.Lock()
			seen[p.String()]++
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, text := range slices.Sorted(maps.Keys(seen)) {
			t.Errorf("against the API model (%s), %d times: %s", v.Models.file, seen[text], text)
		}
		t.Logf("held against the %s of AWS: %v", v.Models.file, v.Report())
	})
}
