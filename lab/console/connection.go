package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

// list shows what ListConnections and ListHosts tell the caller.
func (h *handler) list(p *page, who connections.Person, r *http.Request) {
	p.View, p.Title, p.Region = "list", "Connections", r.FormValue("region")
	if p.Region == "" {
		p.Region = "us-east-1"
	}
	for _, k := range h.all(p, who, "ListConnections", "Connections") {
		arn := k["ConnectionArn"].(string)
		p.Connections = append(p.Connections, link{k["ConnectionName"].(string), k["ProviderType"].(string), k["ConnectionStatus"].(string), "", arn, DeepLink(arn)})
	}
	for _, k := range h.all(p, who, "ListHosts", "Hosts") {
		arn := k["HostArn"].(string)
		message, _ := k["StatusMessage"].(string)
		p.Hosts = append(p.Hosts, link{k["Name"].(string), k["ProviderType"].(string), k["Status"].(string), message, arn, DeepLink(arn)})
	}
}

// all reads a list to its end.
func (h *handler) all(p *page, who connections.Person, op, member string) []map[string]any {
	var all []map[string]any
	in := map[string]any{}
	for {
		out, err := h.c.Serve(&cloud.Request{
			Service: connections.New20231201, Operation: op, Region: p.Region, Caller: who.Principal, Origin: who.Origin, In: in,
		})
		if err != nil {
			p.refuse(err)
			return all
		}
		all = append(all, out[member].([]map[string]any)...)
		next, more := out["NextToken"].(string)
		if !more {
			return all
		}
		in = map[string]any{"NextToken": next}
	}
}

// DeepLink is the console path of a connection or host, without scheme and host.
func DeepLink(arn string) string {
	f := strings.SplitN(arn, ":", 6)
	if len(f) != 6 {
		return "/codesuite/settings/connections"
	}
	kind, id, _ := strings.Cut(f[5], "/")
	return "/codesuite/settings/" + f[4] + "/" + f[3] + "/" + f[2] + "/" + kind + "s/" + url.PathEscape(id)
}

func arnOf(r *http.Request, kind string) string {
	region := r.PathValue("region")
	partition := "aws"
	if strings.HasPrefix(region, "us-gov-") {
		partition = "aws-us-gov"
	}
	return strings.Join([]string{"arn", partition, r.PathValue("service"), region, r.PathValue("account"), kind + "/" + r.PathValue("id")}, ":")
}

// connection shows one connection, and how to complete it while it is PENDING.
func (h *handler) connection(p *page, who connections.Person, r *http.Request) {
	p.View, p.Title = "connection", "Connection"
	k, err := h.conns.Open(who, arnOf(r, "connection"))
	if err != nil {
		p.refuse(err)
		return
	}
	h.show(p, k)
}

func (h *handler) show(p *page, k connections.Connection) {
	p.Connection, p.Title = &k, k.Name
	p.Logins = h.dir.Logins(k.ProviderType)
	if k.Status == connections.Pending && k.HostARN != "" {
		if host, ok := h.conns.Host(k.HostARN); ok && host.Status != connections.Available {
			p.Notice = "The host of this connection is not available (" + host.Status + "). Set up the host first."
			p.Hosts = []link{{Name: host.Name, Href: DeepLink(host.ARN)}}
		}
	}
}

// step takes one step of the handshake; the form says which.
func (h *handler) step(p *page, who connections.Person, r *http.Request) {
	arn := arnOf(r, "connection")
	k, ok := h.conns.Lookup(arn)
	if !ok || k.Owner != who.Principal.Account {
		h.connection(p, who, r)
		return
	}
	h.show(p, k)
	p.View, p.Login = "connection", r.FormValue("login")
	if k.Status != connections.Pending {
		p.fail(http.StatusConflict, "The connection is not pending: its status is "+k.Status+".")
		return
	}
	var err error
	switch r.FormValue("step") {
	case "update":
		if err = h.conns.SignIn(who, arn); err == nil {
			err = h.targets(p, who, k, "")
		}
	case "new":
		h.installPage(p, k)
	case "install":
		err = h.install(p, who, k, r)
	case "connect":
		if err = h.conns.Connect(who, arn, p.Login, r.FormValue("installation")); err == nil {
			p.Redirect = p.Path
		}
	default:
		p.fail(http.StatusBadRequest, "This page knows no such step.")
	}
	if err != nil {
		p.refuse(err)
	}
}

func (h *handler) targets(p *page, who connections.Person, k connections.Connection, chosen string) error {
	found, err := h.conns.Targets(who, k.ARN, p.Login)
	if err != nil {
		return err
	}
	p.View, p.Installations, p.Chosen = "targets", found, chosen
	return nil
}

// installPage stands for the provider's "where do you want to install this app" page.
func (h *handler) installPage(p *page, k connections.Connection) {
	p.View = "install"
	for _, o := range h.dir.Orgs(k.ProviderType) {
		if o.Knows(p.Login) {
			p.Orgs = append(p.Orgs, o)
		}
	}
}

func (h *handler) install(p *page, who connections.Person, k connections.Connection, r *http.Request) error {
	org := r.FormValue("org")
	var repos []string
	for _, full := range r.Form["repo"] {
		if strings.HasPrefix(full, org+"/") {
			repos = append(repos, full)
		}
	}
	i, err := h.conns.Install(who, k.ARN, org, p.Login, repos...)
	if errors.Is(err, provider.ErrOwnerNeeded) {
		p.View = "connection"
		p.fail(http.StatusForbidden, provider.OwnerNeededText)
		p.Notice = "A request to install the app was sent to the owner of " + org + ". The connection stays pending until somebody completes it here."
		p.OwnerPage = "/_provider/" + url.PathEscape(org) + "/installations?type=" + url.QueryEscape(k.ProviderType)
		return nil
	}
	if err != nil {
		return err
	}
	return h.targets(p, who, k, i.ID)
}

// refuse shows an error: AWS's own text where there is one.
func (p *page) refuse(err error) {
	var aws *cloud.Error
	switch {
	case errors.As(err, &aws) && aws.Code == cloud.AccessDenied:
		p.fail(http.StatusForbidden, aws.Message)
	case errors.As(err, &aws) && (aws.Code == "ResourceNotFoundException" || aws.Code == cloud.UnknownOperation):
		p.fail(http.StatusNotFound, aws.Message)
	case errors.As(err, &aws):
		p.fail(http.StatusConflict, aws.Message)
	case errors.Is(err, provider.ErrNotFound):
		p.fail(http.StatusNotFound, err.Error())
	default:
		p.fail(http.StatusConflict, err.Error())
	}
}
