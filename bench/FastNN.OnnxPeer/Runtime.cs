using FastNN.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using RuntimeOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace FastNN.OnnxPeer;

/// <summary>Runs a file in ONNX Runtime, with FastNN's values in and out.</summary>
internal sealed class Runtime : IDisposable
{
    private readonly InferenceSession _session;

    /// <param name="path">The file.</param>
    /// <param name="threads">How many threads; 0 for its default.</param>
    public Runtime(string path, int threads = 1)
    {
        using var options = new RuntimeOptions
        {
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
        };
        _session = new InferenceSession(path, options);
    }

    public IReadOnlyList<OnnxValue?> Run(IReadOnlyDictionary<string, OnnxValue> inputs)
    {
        var values = new List<OrtValue>();
        try
        {
            string[] names = [.. _session.InputMetadata.Keys.Concat(_session.OverridableInitializerMetadata.Keys)
                .Where(inputs.ContainsKey)];
            values.AddRange(names.Select(name => ToPeer(inputs[name])));
            using var options = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> outputs =
                _session.Run(options, names, values, [.. _session.OutputNames]);
            return [.. outputs.Select(FromPeer)];
        }
        finally
        {
            values.ForEach(value => value.Dispose());
        }
    }

    private static OrtValue ToPeer(OnnxValue value)
    {
        switch (value)
        {
            case OnnxOptional { Value: { } held }:
                return ToPeer(held);
            case OnnxSequence sequence:
                return OrtValue.CreateSequence([.. sequence.Items.Select(ToPeer)]);
            case OnnxTensor { ElementType: OnnxElementType.String } texts:
                OrtValue strings = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance,
                    Array.ConvertAll(texts.Dims, extent => (long)extent));
                for (int i = 0; i < texts.Count; i++)
                {
                    strings.StringTensorSetElementAt(texts.Values<string>()[i].AsSpan(), i);
                }

                return strings;
            case OnnxTensor tensor:
                OrtValue peer = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance,
                    (TensorElementType)tensor.ElementType, Array.ConvertAll(tensor.Dims, extent => (long)extent));
                Packed.Write(tensor, peer.GetTensorMutableRawData());
                return peer;
            default:
                throw new NotSupportedException($"{value} cannot be handed to ONNX Runtime from C#");
        }
    }

    private static OnnxValue? FromPeer(OrtValue value)
    {
        switch (value.OnnxType)
        {
            case OnnxValueType.ONNX_TYPE_TENSOR:
                OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
                int[] dims = Array.ConvertAll(info.Shape, extent => checked((int)extent));
                if (info.ElementDataType == TensorElementType.String)
                {
                    return OnnxTensor.Create(value.GetStringTensorAsArray(), dims);
                }

                OnnxTensor tensor = OnnxTensor.Zeros((OnnxElementType)info.ElementDataType, dims);
                if (tensor.Count > 0)
                {
                    Packed.Read(value.GetTensorMutableRawData(), tensor);
                }

                return tensor;
            case OnnxValueType.ONNX_TYPE_SEQUENCE:
                return new OnnxSequence(Enumerable.Range(0, value.GetValueCount()).Select(i =>
                {
                    using OrtValue item = value.GetValue(i, OrtAllocator.DefaultInstance);
                    return FromPeer(item)!;
                }));
            case OnnxValueType.ONNX_TYPE_MAP:
                using (OrtValue keys = value.GetValue(0, OrtAllocator.DefaultInstance))
                using (OrtValue values = value.GetValue(1, OrtAllocator.DefaultInstance))
                {
                    return new OnnxMap((OnnxTensor)FromPeer(keys)!, (OnnxTensor)FromPeer(values)!);
                }

            default:
                return new OnnxOptional(null);
        }
    }

    public void Dispose() => _session.Dispose();
}
