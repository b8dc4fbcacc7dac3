package connections

import (
	"github.com/unjam/unjam/lab/cloud"
)

// consoleOps are the calls of the console that complete connections and hosts. They are IAM permissions and no API:
// https://docs.aws.amazon.com/dtconsole/latest/userguide/security-iam.html . Except for UpdateConnectionInstallation they
// know no resource type and are checked on "*", so that a policy which scopes them to a connection's ARN does not
// grant them: https://docs.aws.amazon.com/service-authorization/latest/reference/list_codeconnections.html
func (a *api) consoleOps(all map[string]*cloud.Op) {
	for _, name := range []string{"StartOAuthHandshake", "GetIndividualAccessToken", "GetInstallationUrl"} {
		all[name] = a.everywhere(name, "ProviderType")
	}
	all["ListInstallationTargets"] = a.everywhere("ListInstallationTargets", "")
	for _, name := range []string{"RegisterAppCode", "StartAppRegistrationHandshake"} {
		all[name] = a.everywhere(name, "HostArn")
	}
	all["RegisterAppCode"].Do = a.registerAppCode
	all["UpdateConnectionInstallation"] = &cloud.Op{
		Console: true,
		Access: func(r *cloud.Request) []cloud.Access {
			access := a.onResource("ConnectionArn", "UpdateConnectionInstallation")(r)
			access.Context[a.prefixOf(access.Resource)+":InstallationId"] = []string{r.Str("InstallationId")}
			return []cloud.Access{access}
		},
		Do: a.updateInstallation,
	}
}

// everywhere is a console call checked on "*", with the one condition key it knows.
func (a *api) everywhere(name, key string) *cloud.Op {
	return &cloud.Op{
		Console: true, ReadOnly: true,
		Access: func(r *cloud.Request) []cloud.Access {
			ctx := map[string][]string{}
			if key != "" {
				ctx[a.name+":"+key] = []string{r.Str(key)}
			}
			return []cloud.Access{{Action: a.name + ":" + name, Resource: "*", Context: ctx}}
		},
		Do: func(*cloud.Request) (map[string]any, error) { return map[string]any{}, nil },
	}
}

// updateInstallation binds a PENDING connection to an installation and so makes it AVAILABLE.
func (a *api) updateInstallation(r *cloud.Request) (map[string]any, error) {
	l, k, err := a.owned(r, r.Str("ConnectionArn"))
	if err != nil {
		return nil, err
	}
	if k.Status != Pending {
		return nil, cloud.Errorf(conflict, "Connection %s is not pending: its status is %s.", k.ARN, k.Status)
	}
	if k.HostARN != "" {
		if h, ok := a.Host(k.HostARN); !ok || h.Status != Available {
			return nil, cloud.Errorf(unavailable, "Host %s is not available.", k.HostARN)
		}
	}
	i, ok := a.dir.Installation(r.Str("InstallationId"))
	if !ok || i.Type != k.ProviderType {
		return nil, cloud.Errorf(notFound, "Installation %s not found.", r.Str("InstallationId"))
	}
	k.Status, k.Installation, k.Completed = Available, i.ID, a.c.Now()
	l.Set(a.c, k)
	return map[string]any{}, nil
}

// registerAppCode ends the set-up of a host: AWS's app is registered on the server.
func (a *api) registerAppCode(r *cloud.Request) (map[string]any, error) {
	l, h, err := a.ownHost(r, r.Str("HostArn"))
	if err != nil {
		return nil, err
	}
	if h.Status != Pending {
		return nil, cloud.Errorf(conflict, "Host %s is not pending: its status is %s.", h.ARN, h.Status)
	}
	h.Status = Available
	l.Set(a.c, h)
	return map[string]any{}, nil
}
