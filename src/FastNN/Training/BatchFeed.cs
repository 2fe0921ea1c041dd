using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Training;

/// <summary>Inputs and targets of coming batches on their way to their tensors, beside the step that runs.</summary>
internal sealed class BatchFeed : IDisposable
{
    private readonly IFeed _inputs;
    private readonly IFeed _targets;
    private readonly Tensor _x;
    private readonly Tensor _target;
    private int _pushed;

    private BatchFeed(IFeed inputs, IFeed targets, Tensor x, Tensor target) =>
        (_inputs, _targets, _x, _target) = (inputs, targets, x, target);

    /// <summary>Null where the device gains nothing by it.</summary>
    public static BatchFeed? Create(IDevice device, Tensor x, Tensor target)
    {
        if (device.CreateFeed(x.Bytes) is not { } inputs)
        {
            return null;
        }

        try
        {
            return new BatchFeed(inputs, device.CreateFeed(target.Bytes)!, x, target);
        }
        catch
        {
            inputs.Dispose();
            throw;
        }
    }

    /// <summary>Begins to copy a batch.</summary>
    public void Push(ReadOnlySpan<byte> inputs, ReadOnlySpan<byte> targets)
    {
        _inputs.Push(inputs);
        _targets.Push(targets);
        _pushed++;
    }

    /// <summary>Puts the oldest pushed batch in place; false where there is none.</summary>
    public bool TryPull()
    {
        if (_pushed == 0)
        {
            return false;
        }

        _pushed--;
        _inputs.Pull(_x);
        _targets.Pull(_target);
        return true;
    }

    public void Dispose()
    {
        _inputs.Dispose();
        _targets.Dispose();
    }
}
