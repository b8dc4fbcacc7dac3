// Package servicecatalog simulates the reading half of AWS Service Catalog for its administrators: products whose versions
// come from a repository. It never provisions a product.
package servicecatalog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// maxPage is the most products of a page.
const maxPage = 20

const invalid = "InvalidParametersException"

// Product is a product of an account.
type Product struct {
	Account, Region, Name string
	ID                    string // prod-...
	Owner                 string
	Connection            string // ARN of the older prefix; "" for a product that somebody uploads
	Repository            string // full name: acme/web
	Branch, Path          string // of its template
	Created               time.Time
	Synced                string // how the last synchronisation went: SUCCEEDED or FAILED
}

// ARN is the product's ARN.
func (p Product) ARN() string {
	return "arn:aws:catalog:" + p.Region + ":" + p.Account + ":product/" + p.ID
}

// Service is Service Catalog in every account and Region. Its methods are called with the cloud's lock held.
type Service struct {
	c        *cloud.Cloud
	products []Product
}

// New registers the service on a cloud.
func New(c *cloud.Cloud) *Service {
	s := &Service{c: c}
	c.Register(&cloud.Service{
		Name: "servicecatalog", Target: "AWS242ServiceCatalogService", Version: "2015-12-10", Protocol: cloud.JSON11, Text: "Message",
		Also: []cloud.Protocol{cloud.CBOR}, EventSource: "servicecatalog.amazonaws.com",
		Ops: map[string]*cloud.Op{
			"SearchProductsAsAdmin":  {ReadOnly: true, Do: s.search},
			"DescribeProductAsAdmin": {ReadOnly: true, Access: onProduct, Do: s.describe},
		},
	})
	return s
}

// onProduct is the access to the product that a request names by its ID; by name alone it is any.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsservicecatalog.html
func onProduct(r *cloud.Request) []cloud.Access {
	p := Product{Account: r.Account(), Region: r.Region, ID: r.Str("Id")}
	if p.ID == "" {
		p.ID = "*"
	}
	return []cloud.Access{{Action: "servicecatalog:DescribeProductAsAdmin", Resource: p.ARN()}}
}

// AddProduct states a product, gives it its ID and time, and returns it. The API's model knows connections under their older
// prefix only, and so does the lab.
// https://docs.aws.amazon.com/servicecatalog/latest/dg/API_CodeStarParameters.html
func (s *Service) AddProduct(p Product) (Product, error) {
	if p.Name == "" || p.Connection != "" && (p.Repository == "" || p.Branch == "" || p.Path == "") {
		return p, fmt.Errorf("add product %s: it needs a name, and with a connection repository, branch and path", p.Name)
	}
	if p.Connection != "" && !strings.HasPrefix(p.Connection, "arn:aws:codestar-connections:") {
		return p, fmt.Errorf("add product %s: Service Catalog takes connections of the prefix codestar-connections only, not %s", p.Name, p.Connection)
	}
	p.ID, p.Created = "prod-"+strings.ReplaceAll(s.c.UUID(), "-", "")[:13], s.c.Now().UTC().Truncate(time.Second)
	s.products = append(s.products, p)
	return p, nil
}

func (s *Service) search(r *cloud.Request) (map[string]any, error) {
	want := r.Int("PageSize", maxPage)
	switch {
	case want < 0 || want > maxPage:
		return nil, cloud.Errorf(invalid, "PageSize must be between 0 and %d.", maxPage)
	case r.Str("PortfolioId") != "":
		return nil, cloud.Errorf("ResourceNotFoundException", "Portfolio %s not found.", r.Str("PortfolioId"))
	case !slices.Contains([]string{"", "ACCOUNT"}, r.Str("ProductSource")):
		return nil, cloud.Errorf(invalid, "ProductSource must be ACCOUNT.")
	}
	var all []Product
	for _, p := range s.products {
		if p.Account == r.Account() && p.Region == r.Region && p.matches(r.Map("Filters")) {
			all = append(all, p)
		}
	}
	page, next, err := cloud.Page(r.Cloud, all, r.Str("PageToken"), want, maxPage, invalid)
	if err != nil {
		return nil, err
	}
	shown := []any{}
	for _, p := range page {
		shown = append(shown, p.show())
	}
	out := map[string]any{"ProductViewDetails": shown}
	if next != "" {
		out["NextPageToken"] = next
	}
	return out, nil
}

// matches applies the filters FullTextSearch, on the name, and Owner.
func (p Product) matches(filters map[string]any) bool {
	for name, value := range map[string]string{"FullTextSearch": p.Name, "Owner": p.Owner} {
		list, _ := filters[name].([]any)
		for _, x := range list {
			if text, _ := x.(string); !strings.Contains(value, text) {
				return false
			}
		}
	}
	return true
}

func (s *Service) describe(r *cloud.Request) (map[string]any, error) {
	id, title := r.Str("Id"), r.Str("Name")
	if id == "" && title == "" {
		return nil, cloud.Errorf(invalid, "Either Id or Name must be given.")
	}
	if id != "" && !regexp.MustCompile(`^[a-zA-Z0-9_\-]{1,100}$`).MatchString(id) {
		return nil, cloud.Errorf(invalid, "Id %s is not valid.", id)
	}
	for _, p := range s.products {
		if p.Account == r.Account() && p.Region == r.Region && (id == "" || p.ID == id) && (title == "" || p.Name == title) {
			return map[string]any{"ProductViewDetail": p.show(), "ProvisioningArtifactSummaries": []any{}, "Tags": []any{}, "TagOptions": []any{}, "Budgets": []any{}}, nil
		}
	}
	return nil, cloud.Errorf("ResourceNotFoundException", "Product %s not found.", id+title)
}

func (p Product) show() map[string]any {
	m := map[string]any{
		"ProductViewSummary": map[string]any{"Id": strings.Replace(p.ID, "prod-", "prodview-", 1), "ProductId": p.ID, "Name": p.Name, "Owner": p.Owner,
			"Type": "CLOUD_FORMATION_TEMPLATE", "HasDefaultPath": false},
		"Status": "AVAILABLE", "ProductARN": p.ARN(), "CreatedTime": p.Created,
	}
	if p.Connection == "" {
		return m
	}
	last := map[string]any{"LastSyncTime": p.Created, "LastSyncStatus": p.Synced}
	if p.Synced == "SUCCEEDED" {
		last["LastSuccessfulSyncTime"] = p.Created
	}
	m["SourceConnection"] = map[string]any{"Type": "CODESTAR", "LastSync": last, "ConnectionParameters": map[string]any{"CodeStar": map[string]any{
		"ConnectionArn": p.Connection, "Repository": p.Repository, "Branch": p.Branch, "ArtifactPath": p.Path}}}
	return m
}
