using System.Text.Json;
using FastNN;
using FastNN.Onnx;

namespace DigitsServer;

/// <summary>A model with one input, compiled for the processor. Any number of threads may call it at once.</summary>
internal sealed class Network : IDisposable
{
    private readonly OnnxModel _model;
    private readonly OnnxSession _session;

    /// <exception cref="FileFormatException">The file is not an ONNX model.</exception>
    /// <exception cref="OnnxException">It has several inputs, outputs other than floats, or operators that are not
    /// supported.</exception>
    public Network(string path)
    {
        // One thread for each caller: a server's parallelism is that of its requests.
        Device = Device.Cpu(threads: 1);
        _model = OnnxModel.Load(path);
        if (_model.Inputs.Count != 1 || _model.Outputs.Any(output => output.ElementType != OnnxElementType.Float32))
        {
            throw new OnnxException($"expected a model with one input and outputs of FLOAT, got {Signature}");
        }

        _session = _model.Compile(Device);
    }

    public Device Device { get; }

    /// <summary>As in <c>input: FLOAT[batch, 784] -> output: FLOAT[batch, 10]</c>.</summary>
    public string Signature => $"{string.Join(", ", _model.Inputs)} -> {string.Join(", ", _model.Outputs)}";

    /// <exception cref="OnnxException">The array is not what the model takes; the message says what it takes.</exception>
    public OnnxTensor[] Compute(OnnxTensor array)
    {
        OnnxTensor[] outputs = _session.CreateOutputs(array);
        _session.Run([array], outputs);
        return outputs;
    }

    /// <summary>An object with the outputs by name, nested as their shapes are.</summary>
    public void WriteJson(OnnxTensor[] outputs, Stream stream)
    {
        using var writer = new Utf8JsonWriter(stream);
        writer.WriteStartObject();
        for (int i = 0; i < outputs.Length; i++)
        {
            writer.WritePropertyName(_model.Outputs[i].Name);
            WriteArray(writer, outputs[i].Values<float>(), outputs[i].Dimensions);
        }

        writer.WriteEndObject();
    }

    public void Dispose()
    {
        _session.Dispose();
        _model.Dispose();
        Device.Dispose();
    }

    private static void WriteArray(Utf8JsonWriter writer, ReadOnlySpan<float> values, ReadOnlySpan<int> extents)
    {
        if (extents.IsEmpty)
        {
            // JSON has neither NaN nor infinity.
            if (float.IsFinite(values[0]))
            {
                writer.WriteNumberValue(values[0]);
            }
            else
            {
                writer.WriteNullValue();
            }

            return;
        }

        writer.WriteStartArray();
        int length = extents[0] == 0 ? 0 : values.Length / extents[0];
        for (int i = 0; i < extents[0]; i++)
        {
            WriteArray(writer, values.Slice(i * length, length), extents[1..]);
        }

        writer.WriteEndArray();
    }
}
