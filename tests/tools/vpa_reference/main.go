// Feeds histories of containers into the Vertical Pod Autoscaler recommender's own code and prints what it recommends.
// Standard input, a word and whole numbers a line; times in milliseconds of 1970, rising within a container:
//
//	history CONTAINERS        a new history; the pod has so many containers, which share the minima
//	container                 the samples that follow are of another container instance
//	cpu TIME MILLICORES
//	memory TIME BYTES
//	oom TIME REQUEST_BYTES
//	end                       prints: target, lower, upper in milli-cores, target, lower, upper in bytes
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
)

// The defaults of the recommender's flags (pkg/recommender/config).
var recommender = logic.CreatePodResourceRecommender(logic.RecommendationConfig{
	SafetyMarginFraction:       0.15,
	PodMinCPUMillicores:        25,
	PodMinMemoryMb:             250,
	TargetCPUPercentile:        0.9,
	LowerBoundCPUPercentile:    0.5,
	UpperBoundCPUPercentile:    0.95,
	ConfidenceIntervalCPU:      24 * time.Hour,
	TargetMemoryPercentile:     0.9,
	LowerBoundMemoryPercentile: 0.5,
	UpperBoundMemoryPercentile: 0.95,
	ConfidenceIntervalMemory:   24 * time.Hour,
})

type history struct {
	containers int64
	state      *model.AggregateContainerState
	container  *model.ContainerState
}

func (h *history) print() {
	// What the recommender does with the states of all pods of a name; the others only share the minimum.
	merged := model.NewAggregateContainerState()
	merged.MergeContainerState(h.state)
	states := model.ContainerNameToAggregateStateMap{"c0": merged}
	for i := int64(1); i < h.containers; i++ {
		states[fmt.Sprintf("c%d", i)] = model.NewAggregateContainerState()
	}
	r := recommender.GetRecommendedPodResources(states)["c0"]
	fmt.Println(r.Target[model.ResourceCPU], r.LowerBound[model.ResourceCPU], r.UpperBound[model.ResourceCPU],
		r.Target[model.ResourceMemory], r.LowerBound[model.ResourceMemory], r.UpperBound[model.ResourceMemory])
}

func (h *history) line(word string, numbers []int64) {
	switch word {
	case "history":
		h.containers = numbers[0]
		h.state = model.NewAggregateContainerState()
		h.container = model.NewContainerState(nil, h.state)
	case "container":
		h.container = model.NewContainerState(nil, h.state)
	case "cpu", "memory":
		resource := model.ResourceCPU
		if word == "memory" {
			resource = model.ResourceMemory
		}
		h.container.AddSample(&model.ContainerUsageSample{
			MeasureStart: time.UnixMilli(numbers[0]), Usage: model.ResourceAmount(numbers[1]), Resource: resource})
	case "oom":
		_ = h.container.RecordOOM(time.UnixMilli(numbers[0]), model.ResourceAmount(numbers[1])) // refused: too old
	case "end":
		h.print()
	default:
		panic("unknown word " + word)
	}
}

func main() {
	var h history
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		var numbers []int64
		for _, field := range fields[1:] {
			number, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				panic(err)
			}
			numbers = append(numbers, number)
		}
		h.line(fields[0], numbers)
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}
