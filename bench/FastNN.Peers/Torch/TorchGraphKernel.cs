using static TorchSharp.torch;

namespace FastNN.Peers;

/// <summary>The operator as a TorchSharp expression, differentiated by autograd.</summary>
internal sealed class TorchGraphKernel : IContender
{
    private readonly Tensor[] _inputs;
    private readonly Tensor _gradient;
    private readonly Func<Tensor[], Tensor> _compute;

    public TorchGraphKernel(GraphKernel kernel, (string Name, Func<Tensor[], Tensor> Compute) variant)
    {
        (Name, _compute) = variant;
        _inputs = [.. kernel.Inputs.Select(
            shape => (rand([.. Enumerable.Range(0, shape.Rank).Select(i => (long)shape[i])]) - 0.5).detach().requires_grad_())];
        using var y = _compute(_inputs);
        _gradient = rand_like(y);
    }

    public string Name { get; }

    public void Step()
    {
        using var scope = NewDisposeScope();
        var y = _compute(_inputs);
        autograd.grad([y], _inputs, [_gradient]);
    }

    public void Dispose()
    {
        foreach (var input in _inputs)
        {
            input.Dispose();
        }

        _gradient.Dispose();
    }
}
