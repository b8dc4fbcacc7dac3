package console

import (
	"net/http"
	"slices"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

// host shows one host, and how to set it up while it is PENDING.
func (h *handler) host(p *page, who connections.Person, r *http.Request) {
	p.View, p.Title = "host", "Host"
	arn := arnOf(r, "host")
	_, err := h.c.Serve(&cloud.Request{
		Service: r.PathValue("service"), Operation: "GetHost", Region: p.Region, Caller: who.Principal, Origin: who.Origin,
		In: map[string]any{"HostArn": arn},
	})
	if err != nil {
		p.refuse(err)
		return
	}
	if k, ok := h.conns.Host(arn); ok {
		p.Host, p.Title = &k, k.Name
		p.Notice = k.StatusMessage
	}
}

func (h *handler) setUpHost(p *page, who connections.Person, r *http.Request) {
	p.Login = r.FormValue("login")
	if _, err := h.conns.SetupHost(who, arnOf(r, "host"), p.Login); err != nil {
		h.host(p, who, r)
		p.refuse(err)
		return
	}
	p.Redirect = p.Path
}

// installations shows the app on one organisation and what its members asked for.
func (h *handler) installations(p *page, r *http.Request) {
	p.Title = "Installed apps"
	o, ok := h.org(r)
	if !ok {
		p.fail(http.StatusNotFound, "There is no organization named "+r.PathValue("org")+" here.")
		return
	}
	p.Org, p.Logins, p.Title = o, append([]string{o.Owner}, o.Members...), "Installed apps of "+o.Name
}

// approve installs the app as a login of the organisation asks: the owner, or in vain somebody else.
func (h *handler) approve(p *page, r *http.Request) {
	h.installations(p, r)
	if p.Org == nil {
		return
	}
	p.Login = r.FormValue("login")
	if !slices.Contains(p.Logins, p.Login) {
		p.fail(http.StatusForbidden, "Sign in as somebody of "+p.Org.Name+".")
		return
	}
	if p.Login != p.Org.Owner {
		p.fail(http.StatusForbidden, provider.OwnerNeededText)
		return
	}
	if _, err := h.dir.Approve(p.Org.Type, p.Org.Name, p.Login); err != nil {
		p.refuse(err)
		return
	}
	p.Notice = "Approved. The connection at AWS is not completed by this: somebody has to go back there and press Connect."
}

func (h *handler) org(r *http.Request) (*provider.Org, bool) {
	if t := r.FormValue("type"); t != "" {
		return h.dir.Org(t, r.PathValue("org"))
	}
	return h.dir.OrgNamed(r.PathValue("org"))
}
