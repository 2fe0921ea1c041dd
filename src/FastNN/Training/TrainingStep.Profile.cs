using FastNN.Graphs;
using FastNN.Inference.Profiling;

namespace FastNN;

/// <content>Where the time of training steps goes.</content>
public sealed partial class TrainingStep
{
    /// <summary>
    /// Measures every operator of the steps by <see cref="Run"/> that are made meanwhile: forward, backward and update. It costs
    /// them some tens of nanoseconds per operator; without it they are as before.
    /// </summary>
    /// <param name="work">Makes steps; a first one of new shapes should be made before.</param>
    /// <returns>Where the time went.</returns>
    /// <exception cref="NotSupportedException">The step is not on a CPU: a GPU's kernels run later than they are
    /// launched.</exception>
    /// <exception cref="InvalidOperationException">It is being measured already.</exception>
    public SessionProfile Profile(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (_device.Kind != "cpu")
        {
            throw new NotSupportedException(
                $"TrainingStep: expected steps on a CPU to be measured operator by operator, got {_device.Kind}; use the vendor's profiler there.");
        }

        double peak = _device.MeasurePeak();
        var recorder = new ProfileRecorder();
        using (Enter(nameof(Profile)))
        {
            if (_state.Observer is not null)
            {
                throw new InvalidOperationException(
                    "TrainingStep: it is being measured already; measure one piece of work at a time.");
            }

            _state.Observer = recorder;
        }

        try
        {
            work();
        }
        finally
        {
            _state.Observer = null;
        }

        return recorder.ToProfile(_device.Description, peak);
    }

    /// <summary>Who is told when each operator of a step ran; null for nobody.</summary>
    internal IStepObserver? Observer
    {
        set => _state.Observer = value;
    }
}
