using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN;

/// <content>Where the time of training steps goes.</content>
public sealed partial class Trainer
{
    /// <summary>
    /// Measures every operator of the steps of <see cref="Fit"/> and
    /// <see cref="TrainBatch(ReadOnlySpan{float}, ReadOnlySpan{int})"/> that are made meanwhile: forward, backward and update. It
    /// costs them some tens of nanoseconds per operator; without it they are as before.
    /// </summary>
    /// <param name="work">Makes steps; a first one of a new batch size should be made before.</param>
    /// <returns>Where the time went.</returns>
    /// <exception cref="NotSupportedException">The trainer is not on a CPU: a GPU's kernels run later than they are
    /// launched.</exception>
    /// <exception cref="InvalidOperationException">The model is not built, or the trainer is being measured already.</exception>
    public SessionProfile Profile(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        return Measured().Profile(work);
    }

    /// <summary>Who is told when each operator of a step ran; null for nobody.</summary>
    internal IStepObserver? Observer
    {
        set => Measured().Observer = value;
    }

    private TrainingStep Measured()
    {
        using Occupancy.Stay stay = Enter(nameof(Profile));
        using DeviceUse use = _device.Life.Enter();
        Prepare();
        return _step!;
    }
}
