// SPDX-License-Identifier: Apache-2.0
#include "core/model/gradient.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

namespace owq {
namespace {

struct BackwardNode final : torch::autograd::Node {
    BackwardFunction backward;

    torch::autograd::variable_list apply(torch::autograd::variable_list&& incoming) override {
        if (!incoming.at(0).defined()) return torch::autograd::variable_list(num_outputs());
        std::vector<bool> wanted;
        for (size_t i = 0; i < num_outputs(); ++i) wanted.push_back(task_should_compute_output(i));
        return backward(incoming[0], wanted);
    }
    std::string name() const override { return "OwqBackward"; }
    void release_variables() override { backward = {}; }
};

}  // namespace

bool fitsKernels(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat; }

bool tracked(const at::Tensor& x) { return at::GradMode::is_enabled() && x.defined() && x.requires_grad(); }

at::Tensor withBackward(at::Tensor y, const std::vector<at::Tensor>& inputs, BackwardFunction backward) {
    const auto node = std::make_shared<BackwardNode>();
    node->backward = std::move(backward);
    node->set_next_edges(torch::autograd::collect_next_edges(inputs));
    torch::autograd::set_history(y, node);
    return y;
}

at::Tensor withFormula(at::Tensor y, const std::vector<at::Tensor>& inputs, Formula formula) {
    std::vector<at::Tensor> held;
    for (const at::Tensor& input : inputs) held.push_back(input.detach());
    return withBackward(std::move(y), inputs,
                        [held = std::move(held), formula = std::move(formula)](const at::Tensor& gradient, const std::vector<bool>& wanted) {
                            const at::AutoGradMode on(true);
                            std::vector<at::Tensor> inputs, of;
                            for (size_t i = 0; i < held.size(); ++i) {
                                inputs.push_back(held[i].detach().requires_grad_(wanted[i]));
                                if (wanted[i]) of.push_back(inputs.back());
                            }
                            const std::vector<at::Tensor> found = gradients(formula(inputs), of, gradient);
                            std::vector<at::Tensor> all(held.size());
                            for (size_t i = 0, next = 0; i < held.size(); ++i)
                                if (wanted[i]) all[i] = found[next++];
                            return all;
                        });
}

std::vector<at::Tensor> gradients(const at::Tensor& y, const std::vector<at::Tensor>& of, const at::Tensor& gradient) {
    return torch::autograd::grad({y}, of, {gradient});
}

}  // namespace owq
