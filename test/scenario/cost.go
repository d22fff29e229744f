package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/wsfleet/wsfleet/test/lab/apionly"
)

// Cost is the root module's output cost_usd_per_hour. A null price is one that nobody knows.
type Cost struct {
	Total      *float64 `json:"total"`
	Unknown    []string `json:"unknown"`
	PricesAsOf string   `json:"prices_as_of"`
	Breakdown  []Part   `json:"breakdown"`
}

// Part is one kind of thing that costs by the hour.
type Part struct {
	What    string   `json:"what"`
	Count   float64  `json:"count"`
	Each    *float64 `json:"usd_per_hour_each"`
	PerHour *float64 `json:"usd_per_hour"`
}

// cost plans every scenario against an emulated API, and brings the table of the README up to date, or compares it.
func cost(ctx context.Context, root string, check bool, stdout io.Writer) error {
	names, err := scenarios(root)
	if err != nil {
		return err
	}
	slices.Sort(names)
	api, err := apionly.Start(ctx, root)
	if err != nil {
		return err
	}
	defer api.Close()
	tf := terraform{root, api.Env(os.Environ())}
	if err := tf.initEmulated(ctx, api); err != nil {
		return err
	}
	costs := map[string]Cost{}
	for _, name := range names {
		if costs[name], err = tf.cost(ctx, api, name); err != nil {
			return fmt.Errorf("scenario %s: %w", name, err)
		}
	}
	table := costTable(costs)
	fmt.Fprint(stdout, table)
	return updateReadme(filepath.Join(root, "terraform/README.md"), table, check)
}

// cost plans one scenario, of which the cost is an output.
func (tf terraform) cost(ctx context.Context, api *apionly.API, scenario string) (Cost, error) {
	file, err := varFile(tf.root, scenario)
	if err != nil {
		return Cost{}, err
	}
	planFile := filepath.Join(api.Dir, scenario+".tfplan")
	if err := tf.run(ctx, io.Discard, "plan", "-input=false", "-lock=false", "-out="+planFile, file); err != nil {
		return Cost{}, err
	}
	plan, err := tf.show(ctx, planFile)
	if err != nil {
		return Cost{}, err
	}
	output := plan.PlannedValues.Outputs["cost_usd_per_hour"]
	if output == nil {
		return Cost{}, errors.New("the plan has no output cost_usd_per_hour")
	}
	text, err := json.Marshal(output.Value)
	if err != nil {
		return Cost{}, err
	}
	var c Cost
	if err := json.Unmarshal(text, &c); err != nil {
		return Cost{}, fmt.Errorf("read the output cost_usd_per_hour: %w", err)
	}
	if len(c.Breakdown) == 0 {
		return Cost{}, errors.New("the output cost_usd_per_hour has no parts")
	}
	return c, nil
}
