using FastNN.Kernels;

namespace FastNN;

/// <summary>
/// A model with one input and one output, compiled for inference: it copies the parameters when it is made and never changes, so
/// any number of threads may call it at once. A call with a number of examples that it knows allocates nothing; its memory is
/// that of a <see cref="Session"/>.
/// </summary>
public sealed class Predictor : IDisposable
{
    private readonly Session _session;
    private readonly int _maxBatch;

    internal Predictor(Layer model, IDevice device, int maxBatch, bool applyPreprocessing)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBatch);
        _maxBatch = maxBatch;
        _session = InferenceExtensions.Record(model, device, new SessionOptions { ApplyPreprocessing = applyPreprocessing });
        try
        {
            if (_session.Inputs.Count != 1 || _session.Outputs.Count != 1)
            {
                throw new InvalidOperationException(
                    $"Predictor: expected a model of one input and one output, it has {_session.Inputs.Count} and {_session.Outputs.Count}; use CreateSession.");
            }

            InputShape = _session.Inputs[0].Shape.DropFirst();
            OutputShape = _session.OutputShape(0, InputShape.Prepend(1)).DropFirst();
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    /// <summary>The shape of one example's input.</summary>
    public Shape InputShape { get; }

    /// <summary>The shape of one example's output.</summary>
    public Shape OutputShape { get; }

    /// <summary>Computes outputs. Safe to call from many threads at once.</summary>
    /// <param name="x">One or more examples, flattened one after the other.</param>
    /// <param name="y">Receives their outputs, one after the other.</param>
    /// <exception cref="ShapeException">The lengths do not fit.</exception>
    /// <exception cref="ObjectDisposedException">The predictor was disposed.</exception>
    public void Predict(ReadOnlySpan<float> x, Span<float> y)
    {
        long inputs = InputShape.Count, outputs = OutputShape.Count;
        long count = x.Length / inputs;
        if (x.Length == 0 || x.Length != count * inputs)
        {
            throw new ShapeException(
                $"Predictor: expected a multiple of {inputs} input values (examples of shape {InputShape}), got {x.Length}.");
        }

        if (y.Length != count * outputs)
        {
            throw new ShapeException(
                $"Predictor: expected {count * outputs} output values ({count} of shape {OutputShape}), got {y.Length}.");
        }

        for (long at = 0; at < count;)
        {
            var batch = (int)Math.Min(count - at, _maxBatch);
            _session.Run(
                x.Slice((int)(at * inputs), (int)(batch * inputs)), y.Slice((int)(at * outputs), (int)(batch * outputs)));
            at += batch;
        }
    }

    /// <summary>Computes outputs. Safe to call from many threads at once.</summary>
    /// <param name="x">One or more examples, flattened one after the other.</param>
    /// <returns>Their outputs, one after the other.</returns>
    /// <exception cref="ShapeException">The length does not fit.</exception>
    /// <exception cref="ObjectDisposedException">The predictor was disposed.</exception>
    public float[] Predict(ReadOnlySpan<float> x)
    {
        var y = new float[checked((int)(x.Length / InputShape.Count * OutputShape.Count))];
        Predict(x, y);
        return y;
    }

    /// <summary>Gives back the memory that is kept for calls to come; they take it again.</summary>
    public void Trim() => _session.Trim();

    /// <summary>Frees the parameters and everything else on the device. Calls that are still running finish first.</summary>
    public void Dispose() => _session.Dispose();
}
