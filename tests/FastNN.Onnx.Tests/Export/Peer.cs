using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace FastNN.Onnx.Tests.Export;

/// <summary>ONNX Runtime, which runs what is written here: the second opinion.</summary>
internal sealed class Peer : IDisposable
{
    private readonly Microsoft.ML.OnnxRuntime.SessionOptions _options;
    private readonly InferenceSession _session;

    /// <summary>A file with others beside it.</summary>
    public Peer(string path)
    {
        _options = new Microsoft.ML.OnnxRuntime.SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        _session = new InferenceSession(path, _options);
    }

    /// <param name="file">The file.</param>
    /// <param name="optimizes">Whether its own passes rewrite the graph; single operators are run as they are.</param>
    public Peer(byte[] file, bool optimizes)
    {
        _options = new Microsoft.ML.OnnxRuntime.SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            GraphOptimizationLevel = optimizes
                ? GraphOptimizationLevel.ORT_ENABLE_ALL
                : GraphOptimizationLevel.ORT_DISABLE_ALL,
        };
        _session = new InferenceSession(file, _options);
    }

    public IReadOnlyList<string> Inputs => _session.InputNames;

    /// <summary>The dimensions of an input, with the symbols' names.</summary>
    public string[] Dimensions(string input)
    {
        NodeMetadata data = _session.InputMetadata[input];
        return [.. data.Dimensions.Select((extent, i) => extent >= 0 ? $"{extent}" : data.SymbolicDimensions[i])];
    }

    public OnnxTensor[] Run(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        var values = inputs.ToDictionary(input => input.Key, input => Give((OnnxTensor)input.Value));
        try
        {
            using var run = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(run, values, _session.OutputNames);
            return [.. outputs.Select(Take)];
        }
        finally
        {
            foreach (OrtValue value in values.Values)
            {
                value.Dispose();
            }
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        _options.Dispose();
    }

    private static OrtValue Give(OnnxTensor tensor)
    {
        long[] dims = [.. tensor.Dims.Select(extent => (long)extent)];
        return tensor.ElementType switch
        {
            OnnxElementType.Float32 => OrtValue.CreateTensorValueFromMemory(tensor.Array<float>(), dims),
            OnnxElementType.Int32 => OrtValue.CreateTensorValueFromMemory(tensor.Array<int>(), dims),
            OnnxElementType.Int64 => OrtValue.CreateTensorValueFromMemory(tensor.Array<long>(), dims),
            OnnxElementType.Bool => OrtValue.CreateTensorValueFromMemory(tensor.Array<bool>(), dims),
            OnnxElementType.UInt8 => OrtValue.CreateTensorValueFromMemory(tensor.Array<byte>(), dims),
            OnnxElementType.Int8 => OrtValue.CreateTensorValueFromMemory(tensor.Array<sbyte>(), dims),
            OnnxElementType.Float64 => OrtValue.CreateTensorValueFromMemory(tensor.Array<double>(), dims),
            OnnxElementType.Float16 => OrtValue.CreateTensorValueFromMemory(
                MemoryMarshal.Cast<Half, Float16>(tensor.Array<Half>()).ToArray(), dims),
            _ => throw new NotSupportedException($"{tensor}"),
        };
    }

    private static OnnxTensor Take(OrtValue value)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        int[] dims = [.. info.Shape.Select(extent => (int)extent)];
        return (OnnxElementType)info.ElementDataType switch
        {
            OnnxElementType.Float32 => OnnxTensor.Create(value.GetTensorDataAsSpan<float>().ToArray(), dims),
            OnnxElementType.Int32 => OnnxTensor.Create(value.GetTensorDataAsSpan<int>().ToArray(), dims),
            OnnxElementType.Int64 => OnnxTensor.Create(value.GetTensorDataAsSpan<long>().ToArray(), dims),
            OnnxElementType.Bool => OnnxTensor.Create(value.GetTensorDataAsSpan<bool>().ToArray(), dims),
            OnnxElementType.UInt8 => OnnxTensor.Create(value.GetTensorDataAsSpan<byte>().ToArray(), dims),
            OnnxElementType.Int8 => OnnxTensor.Create(value.GetTensorDataAsSpan<sbyte>().ToArray(), dims),
            OnnxElementType.Float64 => OnnxTensor.Create(value.GetTensorDataAsSpan<double>().ToArray(), dims),
            OnnxElementType.Float16 => OnnxTensor.Create(
                MemoryMarshal.Cast<Float16, Half>(value.GetTensorDataAsSpan<Float16>()).ToArray(), dims),
            _ => throw new NotSupportedException($"{info.ElementDataType}"),
        };
    }
}
