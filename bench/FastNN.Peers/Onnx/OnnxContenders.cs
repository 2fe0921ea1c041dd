using FastNN.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace FastNN.Peers;

/// <summary>FastNN's session on a file.</summary>
internal sealed class FastNNOnnx : IContender
{
    private readonly OnnxModel _model;
    private readonly Device _device;
    private readonly OnnxSession _session;
    private readonly OnnxTensor[] _inputs;
    private readonly OnnxTensor[] _outputs;

    public FastNNOnnx(OnnxCase @case, int threads)
    {
        _model = OnnxModel.Load(@case.Model);
        _device = Device.Cpu(threads);
        _session = _model.Compile(_device);
        _inputs = [.. @case.Inputs(@case.Batch).Select(input => input.Tensor)];
        if (_session.HostReason(_inputs) is { } reason)
        {
            throw new InvalidOperationException($"{@case.Name}: not all of it runs on the engine: {reason}");
        }

        _outputs = _session.CreateOutputs(_inputs);
    }

    public string Name => "fastnn";

    public IReadOnlyList<OnnxTensor> Outputs => _outputs;

    public void Step() => _session.Run(_inputs, _outputs);

    public void Dispose()
    {
        _session.Dispose();
        _device.Dispose();
        _model.Dispose();
    }
}

/// <summary>ONNX Runtime's session on the same file, at its highest level of optimization, into outputs that are there.</summary>
internal sealed class OnnxRuntimeContender : IContender
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly string[] _inputNames;
    private readonly string[] _outputNames;
    private readonly OrtValue[] _inputs;
    private readonly OrtValue[] _outputs;
    private readonly float[][] _results;

    /// <summary>Null where the native library loads, else why not.</summary>
    public static string? LoadFailure()
    {
        try
        {
            _ = OrtEnv.Instance().GetVersionString();
            return null;
        }
        catch (Exception failure) when (failure is DllNotFoundException or TypeInitializationException)
        {
            return failure.GetBaseException().Message.Split('\n')[0].Trim();
        }
    }

    /// <param name="outputs">Tensors of the outputs' shapes, to compare with.</param>
    public OnnxRuntimeContender(OnnxCase @case, int threads, IReadOnlyList<OnnxTensor> outputs)
    {
        using var options = new Microsoft.ML.OnnxRuntime.SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        _session = new InferenceSession(@case.Model, options);
        _inputNames = [.. _session.InputNames];
        _outputNames = [.. _session.OutputNames];
        _inputs = [.. @case.Inputs(@case.Batch).Select(Value)];
        _results = [.. outputs.Select(output => new float[output.Count])];
        _outputs = [.. outputs.Select((output, i) => Value(new OnnxInput(output.Dimensions.ToArray(), _results[i], null)))];
    }

    public string Name => "onnxruntime";

    public void Step() => _session.Run(_options, _inputNames, _inputs, _outputNames, _outputs);

    /// <summary>Fails where the two sides' outputs differ by more than rounding: a rate of wrong answers says nothing.</summary>
    public void Compare(string title, IReadOnlyList<OnnxTensor> ours)
    {
        Step();
        for (var i = 0; i < ours.Count; i++)
        {
            ReadOnlySpan<float> mine = ours[i].Values<float>(), theirs = _results[i];
            float largest = 0, difference = 0;
            for (var j = 0; j < mine.Length; j++)
            {
                largest = Math.Max(largest, Math.Abs(theirs[j]));
                difference = Math.Max(difference, Math.Abs(mine[j] - theirs[j]));
            }

            if (!(difference <= 1e-4f * largest))
            {
                throw new InvalidOperationException(
                    $"{title}: output {i} differs from ONNX Runtime's by {difference}, its largest value is {largest}.");
            }
        }
    }

    public void Dispose()
    {
        foreach (OrtValue value in _inputs.Concat(_outputs))
        {
            value.Dispose();
        }

        _options.Dispose();
        _session.Dispose();
    }

    private static OrtValue Value(OnnxInput input)
    {
        long[] shape = Array.ConvertAll(input.Shape, extent => (long)extent);
        return input.Numbers is not null
            ? OrtValue.CreateTensorValueFromMemory(input.Numbers, shape)
            : OrtValue.CreateTensorValueFromMemory(input.Whole!, shape);
    }
}
