package read

import (
	"context"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"github.com/unjam/unjam/internal/fact"
)

// ListServiceQuotas calls servicequotas:ListServiceQuotas, one page.
func (r *Reader) ListServiceQuotas(ctx context.Context, scope fact.Scope, in *servicequotas.ListServiceQuotasInput) (*servicequotas.ListServiceQuotasOutput, fact.Source, error) {
	c := (*servicequotas.Client)(r.client("servicequotas", r.Region(scope), func(c aws.Config) unsafe.Pointer { return unsafe.Pointer(servicequotas.NewFromConfig(c)) }))
	out, _, src, err := call(ctx, r, scope, "servicequotas", "ListServiceQuotas", c.ListServiceQuotas, in)
	return out, src, err
}

// ListActionTypes calls codepipeline:ListActionTypes, one page.
func (r *Reader) ListActionTypes(ctx context.Context, scope fact.Scope, in *codepipeline.ListActionTypesInput) (*codepipeline.ListActionTypesOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "codepipeline", "ListActionTypes", r.pipelines(scope).ListActionTypes, in)
	return out, src, err
}

// ListWebhooks calls codepipeline:ListWebhooks, one page.
func (r *Reader) ListWebhooks(ctx context.Context, scope fact.Scope, in *codepipeline.ListWebhooksInput) (*codepipeline.ListWebhooksOutput, fact.Source, error) {
	out, _, src, err := call(ctx, r, scope, "codepipeline", "ListWebhooks", r.pipelines(scope).ListWebhooks, in)
	return out, src, err
}
