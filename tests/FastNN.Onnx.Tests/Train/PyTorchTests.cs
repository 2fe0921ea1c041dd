using System.Globalization;
using FastNN.Cli.Onnx;
using FastNN.Onnx.Tests.Export;

namespace FastNN.Onnx.Tests.Train;

/// <summary>Networks that PyTorch wrote, as models of the library; the standard's suite has 82 small ones.</summary>
public sealed class PyTorchTests
{
    // Fewer is a step back; what cannot be trained is named.
    private const int Wanted = 70;

    [Test]
    public void Networks_that_PyTorch_wrote_become_models_that_compute_the_same()
    {
        string data = Environment.GetEnvironmentVariable("FASTNN_ONNX_TESTDATA") is { Length: > 0 } given
            ? given
            : throw new IgnoreException("the ONNX standard's cases are not here; tests/fetch-onnx-testdata fetches them");
        using var device = Device.Cpu(2);
        var faults = new List<string>();
        int imported = 0;
        foreach (OnnxCase one in OnnxCase.In(Path.Combine(data, "pytorch-converted")))
        {
            try
            {
                using OnnxModel file = OnnxModel.Load(one.Model);
                double distance = Distance(file, file.ToModel(new OnnxImportOptions { ChannelsLast = false }), device);
                imported++;
                if (distance > 1e-4)
                {
                    faults.Add(string.Create(CultureInfo.InvariantCulture, $"{one.Name} differs by {distance:g3}"));
                }
            }
            catch (OnnxException exception) when (exception.Message.StartsWith("ToModel: ", StringComparison.Ordinal))
            {
                TestContext.Out.WriteLine($"{one.Name}: {exception.Message}");
            }
        }

        Assert.That(faults, Is.Empty);
        Assert.That(imported, Is.GreaterThanOrEqualTo(Wanted));
    }

    private static double Distance(OnnxModel file, FastNN.Model model, Device device)
    {
        var inputs = new Dictionary<string, OnnxValue>();
        var graph = new Graph(GraphMode.Inference);
        var values = new List<Value>();
        var tensors = new List<OnnxTensor>();
        foreach (OnnxValueInfo input in file.Inputs.Where(input => !input.HasDefault))
        {
            int[] dims = [.. input.Dimensions!.Select(extent => int.Parse(extent, CultureInfo.InvariantCulture))];
            OnnxTensor floats = Build.Random(7, dims);
            OnnxTensor tensor = input.ElementType == OnnxElementType.Float32
                ? floats
                : OnnxTensor.Create(Array.ConvertAll(floats.Floats(), value => (long)(2 + (2 * value))), dims);
            inputs.Add(input.Name, tensor);
            tensors.Add(tensor);
            values.Add(graph.Input(
                new Shape(dims), input.ElementType == OnnxElementType.Float32 ? DType.Float32 : DType.Int32, input.Name));
        }

        IReadOnlyList<Value> outputs = model.Apply([.. values]);
        using Session session = graph.Compile(device, [.. outputs]);
        using SessionRun run = session.Begin([.. tensors.Select(tensor => new Shape(tensor.Dims))]);
        for (int i = 0; i < tensors.Count; i++)
        {
            if (tensors[i].Data is float[] floats)
            {
                run.Write<float>(i, floats);
            }
            else
            {
                run.Write<int>(i, Array.ConvertAll((long[])tensors[i].Data, value => (int)value));
            }
        }

        run.Compute();
        var got = new float[run.OutputShape(0).Count];
        run.Read<float>(0, got);
        return Layouts.Distance(
            Array.ConvertAll(got, value => (double)value), Layouts.Numbers((OnnxTensor)file.Evaluate(inputs)[0]!));
    }
}
