using FastNN.Cuda.Bindings;
using FastNN.Kernels;
using static FastNN.Cuda.Bindings.CudnnNative;

namespace FastNN.Cuda;

/// <summary>
/// Recurrent sequences: one layer and direction, time first, by the standard algorithm in float32. Descriptors are made once for
/// each geometry, when its sizes are asked for, and kept.
/// </summary>
internal sealed unsafe partial class Cudnn
{
    private readonly Dictionary<RecurrenceGeometry, CudnnRecurrence?> _recurrences = [];

    /// <summary>
    /// cuDNN's descriptors of a sequence; null where our own kernels compute it: without the library, where cuDNN says "not
    /// supported", and where sequences have lengths, which cuDNN takes from the host and a step has on the device alone.
    /// </summary>
    public CudnnRecurrence? Find(RecurrenceGeometry geometry)
    {
        if (geometry.HasLengths || geometry.Batch == 0 || !Available)
        {
            return null;
        }

        using Lock.Scope scope = core.Enter();
        if (!_recurrences.TryGetValue(geometry, out CudnnRecurrence? recurrence))
        {
            if (core.IsCapturing)
            {
                throw new DeviceException(
                    "cuda: a recurrent sequence has no descriptors yet; what is captured must have run before.");
            }

            Open();
            recurrence = CudnnRecurrence.Create(geometry, _handle, core.Scratch, allowTF32);
            _recurrences.Add(geometry, recurrence);
        }

        return recurrence;
    }

    /// <summary>y, and the states behind the last step (=); h and c before the first are 0 where they are null.</summary>
    public void Forward(
        CudnnRecurrence r, bool training, nint x, nint y, nint h, nint lastH, nint c, nint lastC, nint weights, nint workspace,
        nint reserve)
    {
        using Lock.Scope scope = core.Enter();
        nuint work = training ? r.TrainingWorkspaceBytes : r.InferenceWorkspaceBytes, kept = training ? r.ReserveBytes : 0;
        CudnnForwardMode mode = training ? CudnnForwardMode.Training : CudnnForwardMode.Inference;
        Launched(
            nameof(cudnnRNNForward),
            cudnnRNNForward(
                _handle, r.Rnn, mode, null, r.X, x, r.Y, y, r.State, h, lastH, r.State, c, lastC, r.WeightBytes, weights, work,
                workspace, kept, reserve),
            r);
    }

    /// <summary>The gradients of x and of the first states (=), where these are not null.</summary>
    public void BackwardData(
        CudnnRecurrence r, nint y, nint dY, nint dX, nint h, nint dLastH, nint dH, nint c, nint dLastC, nint dC, nint weights,
        nint workspace, nint reserve)
    {
        using Lock.Scope scope = core.Enter();
        Launched(
            nameof(cudnnRNNBackwardData_v8),
            cudnnRNNBackwardData_v8(
                _handle, r.Rnn, null, r.Y, y, dY, r.X, dX, r.State, h, dLastH, dH, r.State, c, dLastC, dC, r.WeightBytes,
                weights, r.TrainingWorkspaceBytes, workspace, r.ReserveBytes, reserve),
            r);
    }

    /// <summary>The gradients of all weights and biases (+=); to be called behind the backward pass of the data.</summary>
    public void BackwardWeights(
        CudnnRecurrence r, nint x, nint h, nint y, nint dWeights, nint workspace, nint reserve)
    {
        using Lock.Scope scope = core.Enter();
        Launched(
            nameof(cudnnRNNBackwardWeights_v8),
            cudnnRNNBackwardWeights_v8(
                _handle, r.Rnn, CudnnWgradMode.Add, null, r.X, x, r.State, h, r.Y, y, r.WeightBytes, dWeights,
                r.TrainingWorkspaceBytes, workspace, r.ReserveBytes, reserve),
            r);
    }

    private void Launched(string call, CudnnStatus status, CudnnRecurrence recurrence)
    {
        if (status != CudnnStatus.Success)
        {
            Check(call, status, $" The sequence is {recurrence.Geometry}.");
        }

        core.CountLaunch();
    }
}
