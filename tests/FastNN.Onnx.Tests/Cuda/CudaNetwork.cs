using FastNN.Onnx.Export;
using FastNN.Onnx.Model;
using FastNN.Onnx.Tests.Export;

namespace FastNN.Onnx.Tests.Cuda;

/// <summary>A file with a network, and what goes into it.</summary>
/// <param name="Name">For people.</param>
/// <param name="Write">The file's bytes, and inputs for a number of examples.</param>
internal sealed record CudaNetwork(string Name, Func<(byte[] File, Func<int, OnnxTensor[]> Inputs)> Write)
{
    private const int Length = 6;

    /// <summary>A network of the library, exported.</summary>
    public static CudaNetwork Of(NetworkCase network) => new(network.Name, () =>
    {
        OnnxExport.Written file = OnnxExport.Write(network.Make(), 17 + (network.Name.Length % 5), null);
        ExportPort[] ports = [.. file.Ports.Inputs];
        return (ModelWriter.Write(file.Model).ToArray(), batch =>
            [.. ports.Zip(network.Inputs(ports, batch, Length), Layouts.ToFile)]);
    });

    /// <summary>A model of the standard's nodes.</summary>
    public static CudaNetwork Of(string name, Func<ModelDef> model, Func<int, OnnxTensor[]> inputs) =>
        new(name, () => (ModelWriter.Write(model()).ToArray(), inputs));

    public override string ToString() => Name;
}
