// Package apprunner simulates the reading half of AWS App Runner: services that are built from code, and the connections of
// its own that it has beside those of AWS CodeConnections. It never builds or runs anything.
package apprunner

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Page sizes of the API model.
const (
	maxServices    = 20
	maxConnections = 100
)

// App is a service of App Runner that is built from a repository.
type App struct {
	Account, Region, Name string
	ID                    string // 32 hex digits
	Connection            string // ARN: of CodeConnections, or of App Runner's own
	Repository            string // URL
	Branch                string
	Manual                bool // a push deploys nothing
	Created               time.Time
}

// ARN is the service's ARN.
func (a App) ARN() string {
	return "arn:aws:apprunner:" + a.Region + ":" + a.Account + ":service/" + a.Name + "/" + a.ID
}

// Connection is a connection of App Runner's own.
type Connection struct {
	Account, Region, Name string
	ID                    string // 32 hex digits
	Provider              string // GITHUB or BITBUCKET
	Status                string // PENDING_HANDSHAKE, AVAILABLE, ERROR or DELETED
	Created               time.Time
}

// ARN is the connection's ARN.
func (k Connection) ARN() string {
	return "arn:aws:apprunner:" + k.Region + ":" + k.Account + ":connection/" + k.Name + "/" + k.ID
}

// Service is App Runner in every account and Region. Its methods are called with the cloud's lock held.
type Service struct {
	c           *cloud.Cloud
	apps        []App
	connections []Connection
}

// New registers the service on a cloud.
func New(c *cloud.Cloud) *Service {
	s := &Service{c: c}
	c.Register(&cloud.Service{
		Name: "apprunner", Target: "AppRunner", Version: "2020-05-15", Protocol: cloud.JSON10, EventSource: "apprunner.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"ListServices":    {ReadOnly: true, Do: s.listServices},
			"DescribeService": {ReadOnly: true, Access: onService, Do: s.describeService},
			"ListConnections": {ReadOnly: true, Do: s.listConnections},
		},
	})
	return s
}

// onService is the access to the service that a request names.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapprunner.html
func onService(r *cloud.Request) []cloud.Access {
	return []cloud.Access{{Action: "apprunner:DescribeService", Resource: r.Str("ServiceArn")}}
}

var nameRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{3,39}$`)

// AddApp states a service, gives it its ID and time, and returns it.
func (s *Service) AddApp(a App) (App, error) {
	if !nameRE.MatchString(a.Name) {
		return a, fmt.Errorf("add App Runner service %s: a name has 4 to 40 letters, digits, - and _", a.Name)
	}
	for _, o := range s.apps {
		if o.Account == a.Account && o.Region == a.Region && o.Name == a.Name {
			return a, fmt.Errorf("add App Runner service %s: it exists", a.Name)
		}
	}
	a.ID, a.Created = s.id(), s.c.Now().UTC().Truncate(time.Second)
	s.apps = append(s.apps, a)
	return a, nil
}

// AddConnection states a connection of App Runner's own, and returns it.
func (s *Service) AddConnection(k Connection) (Connection, error) {
	if !nameRE.MatchString(k.Name) || len(k.Name) > 32 {
		return k, fmt.Errorf("add App Runner connection %s: a name has 4 to 32 letters, digits, - and _", k.Name)
	}
	k.ID, k.Created = s.id(), s.c.Now().UTC().Truncate(time.Second)
	s.connections = append(s.connections, k)
	return k, nil
}

func (s *Service) id() string { return strings.ReplaceAll(s.c.UUID(), "-", "") }

func (s *Service) listServices(r *cloud.Request) (map[string]any, error) {
	var all []App
	for _, a := range s.apps {
		if a.Account == r.Account() && a.Region == r.Region {
			all = append(all, a)
		}
	}
	return paged(r, "ServiceSummaryList", all, maxServices, App.summary)
}

func (s *Service) listConnections(r *cloud.Request) (map[string]any, error) {
	var all []Connection
	for _, k := range s.connections {
		if k.Account == r.Account() && k.Region == r.Region && (r.Str("ConnectionName") == "" || r.Str("ConnectionName") == k.Name) {
			all = append(all, k)
		}
	}
	return paged(r, "ConnectionSummaryList", all, maxConnections, func(k Connection) map[string]any {
		return map[string]any{"ConnectionName": k.Name, "ConnectionArn": k.ARN(), "ProviderType": k.Provider, "Status": k.Status, "CreatedAt": k.Created}
	})
}

func (a App) summary() map[string]any {
	return map[string]any{"ServiceName": a.Name, "ServiceId": a.ID, "ServiceArn": a.ARN(), "ServiceUrl": a.ID[:10] + "." + a.Region + ".awsapprunner.com",
		"CreatedAt": a.Created, "UpdatedAt": a.Created, "Status": "RUNNING"}
}

// describeService alone says where the code comes from.
func (s *Service) describeService(r *cloud.Request) (map[string]any, error) {
	arn := r.Str("ServiceArn")
	if !regexp.MustCompile(`^arn:aws(-\w+)*:[a-z0-9-.]{0,63}:[a-z0-9-.]{0,63}:[0-9]{12}:[\w/-]+$`).MatchString(arn) || len(arn) > 1011 {
		return nil, cloud.Errorf("InvalidRequestException", "The ARN %s is not valid.", arn)
	}
	for _, a := range s.apps {
		if a.ARN() == arn && a.Account == r.Account() && a.Region == r.Region {
			return map[string]any{"Service": a.show()}, nil
		}
	}
	return nil, cloud.Errorf("ResourceNotFoundException", "Service with the provided ARN does not exist: %s.", arn)
}

func (a App) show() map[string]any {
	m := a.summary()
	m["SourceConfiguration"] = map[string]any{
		"CodeRepository": map[string]any{"RepositoryUrl": a.Repository, "SourceCodeVersion": map[string]any{"Type": "BRANCH", "Value": a.Branch},
			"CodeConfiguration": map[string]any{"ConfigurationSource": "REPOSITORY"}, "SourceDirectory": "/"},
		"AutoDeploymentsEnabled": !a.Manual, "AuthenticationConfiguration": map[string]any{"ConnectionArn": a.Connection},
	}
	m["InstanceConfiguration"] = map[string]any{"Cpu": "1024", "Memory": "2048"}
	m["HealthCheckConfiguration"] = map[string]any{"Protocol": "TCP", "Path": "/", "Interval": 5, "Timeout": 2, "HealthyThreshold": 1, "UnhealthyThreshold": 5}
	m["AutoScalingConfigurationSummary"] = map[string]any{"AutoScalingConfigurationName": "DefaultConfiguration", "AutoScalingConfigurationRevision": 1,
		"AutoScalingConfigurationArn": "arn:aws:apprunner:" + a.Region + ":" + a.Account + ":autoscalingconfiguration/DefaultConfiguration/1/00000000000000000000000000000001"}
	m["NetworkConfiguration"] = map[string]any{"EgressConfiguration": map[string]any{"EgressType": "DEFAULT"},
		"IngressConfiguration": map[string]any{"IsPubliclyAccessible": true}, "IpAddressType": "IPV4"}
	return m
}

func paged[T any](r *cloud.Request, list string, all []T, most int, show func(T) map[string]any) (map[string]any, error) {
	want := r.Int("MaxResults", most)
	if want < 1 || want > most {
		return nil, cloud.Errorf("InvalidRequestException", "1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", want, most)
	}
	page, next, err := cloud.Page(r.Cloud, all, r.Str("NextToken"), want, most, "InvalidRequestException")
	if err != nil {
		return nil, err
	}
	shown := []any{}
	for _, x := range page {
		shown = append(shown, show(x))
	}
	out := map[string]any{list: shown}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}
