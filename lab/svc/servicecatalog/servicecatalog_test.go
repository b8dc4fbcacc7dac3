package servicecatalog_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicecatalog"
	"github.com/aws/aws-sdk-go-v2/service/servicecatalog/types"
	"github.com/aws/smithy-go"

	"github.com/unjam/unjam/internal/testkit/apimodel"
	"github.com/unjam/unjam/lab"
	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/svc/servicecatalog"
)

const (
	account    = "111111111111"
	connection = "arn:aws:codestar-connections:eu-west-1:111111111111:connection/01234567-89ab-4cde-8f01-23456789abcd"
	everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`
)

// client is the service's own client on a lab, as a user who may do what the policy's statement says.
func client(t *testing.T, l *lab.Lab, name, region, statement string) *sdk.Client {
	t.Helper()
	k := &cloud.Caller{Name: name, AccessKeyID: "AKIALAB" + strings.ToUpper(name), SecretAccessKey: "secret"}
	l.Cloud.Within(func() {
		l.Cloud.AddAccount(&cloud.Account{ID: account})
		if _, err := l.IAM.CreateUser(account, name, "/"); err != nil {
			t.Fatal(err)
		}
		if err := l.IAM.PutUserPolicy(account, name, "own", `{"Version":"2012-10-17","Statement":`+statement+`}`); err != nil {
			t.Fatal(err)
		}
		k.Principal = l.IAM.UserPrincipal(account, name)
		l.Cloud.AddCaller(k)
	})
	return sdk.NewFromConfig(aws.Config{Region: region, HTTPClient: &http.Client{Transport: l}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, "")})
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestProductsNameTheirConnections(t *testing.T) {
	l := lab.New()
	apimodel.Attach(t, l)
	l.Cloud.PageSize = 1
	c, ctx := client(t, l, "ada", "eu-west-1", everything), t.Context()
	l.Cloud.Within(func() {
		for _, p := range []servicecatalog.Product{
			{Account: account, Region: "eu-west-1", Name: "base", Owner: "platform", Connection: connection, Repository: "acme/base", Branch: "main", Path: "product.yaml", Synced: "SUCCEEDED"},
			{Account: account, Region: "eu-west-1", Name: "uploaded", Owner: "ada"},
			{Account: account, Region: "us-east-1", Name: "abroad", Owner: "ada"},
		} {
			if _, err := l.Catalog.AddProduct(p); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Catalog.AddProduct(servicecatalog.Product{Name: "no repository", Connection: connection}); err == nil {
			t.Error("there is a product without a repository")
		}
		newer := strings.Replace(connection, "codestar-connections", "codeconnections", 1)
		if _, err := l.Catalog.AddProduct(servicecatalog.Product{Name: "newer", Connection: newer, Repository: "acme/web", Branch: "main", Path: "p"}); err == nil {
			t.Error("there is a product with a connection that the API's model does not know")
		}
	})
	var found []types.ProductViewDetail
	for pages := sdk.NewSearchProductsAsAdminPaginator(c, &sdk.SearchProductsAsAdminInput{ProductSource: types.ProductSourceAccount}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, page.ProductViewDetails...)
	}
	if len(found) != 2 || found[1].SourceConnection != nil {
		t.Fatalf("%d products", len(found))
	}
	for _, in := range []*sdk.DescribeProductAsAdminInput{{Id: found[0].ProductViewSummary.ProductId}, {Name: aws.String("base")}} {
		out, err := c.DescribeProductAsAdmin(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if s := out.ProductViewDetail.SourceConnection.ConnectionParameters.CodeStar; *s.ConnectionArn != connection || *s.Repository != "acme/base" || *s.ArtifactPath != "product.yaml" {
			t.Errorf("source: %+v", s)
		}
	}
	out, err := c.SearchProductsAsAdmin(ctx, &sdk.SearchProductsAsAdminInput{Filters: map[string][]string{"Owner": {"platform"}}})
	if err != nil || len(out.ProductViewDetails) != 1 || *out.ProductViewDetails[0].ProductViewSummary.Name != "base" {
		t.Errorf("filtered: %v, %v", out, err)
	}
	for want, in := range map[string]*sdk.DescribeProductAsAdminInput{"ResourceNotFoundException": {Name: aws.String("abroad")}, "InvalidParametersException": {}} {
		if _, err := c.DescribeProductAsAdmin(ctx, in); code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := c.SearchProductsAsAdmin(ctx, &sdk.SearchProductsAsAdminInput{PageSize: 21}); code(err) != "InvalidParametersException" {
		t.Errorf("pages of 21: %v", err)
	}
}

func TestWhoMaySearch(t *testing.T) {
	l := lab.New()
	c := client(t, l, "bert", "eu-west-1", `{"Effect":"Allow","Action":"servicecatalog:SearchProducts","Resource":"*"}`)
	if _, err := c.SearchProductsAsAdmin(t.Context(), nil); code(err) != "AccessDeniedException" || !strings.Contains(err.Error(), "servicecatalog:SearchProductsAsAdmin on resource: *") {
		t.Errorf("searched: %v", err)
	}
	if _, err := c.DescribeProductAsAdmin(t.Context(), &sdk.DescribeProductAsAdminInput{Id: aws.String("prod-1")}); code(err) != "AccessDeniedException" ||
		!strings.Contains(err.Error(), "arn:aws:catalog:eu-west-1:111111111111:product/prod-1") {
		t.Errorf("described: %v", err)
	}
}
