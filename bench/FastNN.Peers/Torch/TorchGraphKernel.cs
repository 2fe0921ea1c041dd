using static TorchSharp.torch;

namespace FastNN.Peers;

/// <summary>The operator as a TorchSharp expression, differentiated by autograd.</summary>
internal sealed class TorchGraphKernel : IContender
{
    private readonly Tensor[] _inputs, _parameters;
    private readonly Tensor? _gradient;
    private readonly Func<Tensor[], Tensor> _compute;

    public TorchGraphKernel(GraphKernelCase @case, TorchVariant variant)
    {
        (Name, _compute) = (variant.Name, variant.Compute);
        _parameters = variant.Parameters?.Invoke() ?? [];
        _inputs = [.. @case.Kernel.Inputs[..^_parameters.Length].Select(
            shape => (rand([.. Enumerable.Range(0, shape.Rank).Select(i => (long)shape[i])]) - 0.5).detach().requires_grad_())];
        if (@case.Backward)
        {
            using var y = _compute(_inputs);
            _gradient = rand_like(y);
        }
    }

    public string Name { get; }

    public void Step()
    {
        using var scope = NewDisposeScope();
        if (_gradient is null)
        {
            using var mode = inference_mode();
            _compute(_inputs);
            return;
        }

        var y = _compute(_inputs);
        autograd.grad([y], [.. _inputs, .. _parameters], [_gradient]);
    }

    public void Dispose()
    {
        foreach (var input in _inputs)
        {
            input.Dispose();
        }

        _gradient?.Dispose();
    }
}
