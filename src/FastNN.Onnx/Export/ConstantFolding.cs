using System.Runtime.InteropServices;

namespace FastNN.Onnx.Export;

/// <summary>Computes values that follow from parameters and constants alone.</summary>
internal static class ConstantFolding
{
    /// <summary>The elements of values, as bytes in the engine's order.</summary>
    public static List<(Value Value, byte[] Bytes)> Evaluate(Graph graph, IReadOnlyCollection<Value> values)
    {
        if (values.Count == 0)
        {
            return [];
        }

        // Recorded again without the inputs, which these values do not need.
        var again = new Graph(GraphMode.Inference);
        var copies = new Dictionary<Value, Value>();
        foreach (Node node in graph.Nodes)
        {
            Value?[] inputs = Array.ConvertAll(node.Inputs, input => Copy(again, copies, input));
            if (Array.TrueForAll(inputs, input => input is not null))
            {
                Value[] outputs = again.AddNode(node.Op, [.. inputs.Select(input => input!)]);
                for (int i = 0; i < outputs.Length; i++)
                {
                    copies[node.Outputs[i]] = outputs[i];
                }
            }
        }

        Value[] wanted = [.. values];
        using Device cpu = Device.Cpu();
        using Session session = again.Compile(cpu, [.. wanted.Select(value => copies[value])]);
        using SessionRun run = session.Begin();
        run.Compute();
        var results = new List<(Value Value, byte[] Bytes)>();
        for (int i = 0; i < wanted.Length; i++)
        {
            results.Add((wanted[i], Read(run, i, wanted[i].TensorType)));
        }

        return results;
    }

    /// <summary>The parameters that a value follows from, in the order in which they are met.</summary>
    public static IReadOnlyCollection<Parameter> Parameters(Value value)
    {
        var found = new List<Parameter>();
        var seen = new HashSet<Value>();
        var open = new Stack<Value>([value]);
        while (open.TryPop(out Value? next))
        {
            if (!seen.Add(next))
            {
                continue;
            }

            if (next.Parameter is { } parameter)
            {
                found.Add(parameter);
            }

            foreach (Value input in next.Producer?.Inputs ?? [])
            {
                open.Push(input);
            }
        }

        return found;
    }

    /// <summary>The elements of a parameter, as bytes in the engine's order.</summary>
    public static byte[] Read(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
    }

    private static byte[] Read(SessionRun run, int output, TensorType type)
    {
        var count = checked((int)type.Shape.Count);
        switch (type.Type)
        {
            case DType.Float32:
                var floats = new float[count];
                run.Read<float>(output, floats);
                return MemoryMarshal.AsBytes(floats.AsSpan()).ToArray();
            case DType.Int32:
                var integers = new int[count];
                run.Read<int>(output, integers);
                return MemoryMarshal.AsBytes(integers.AsSpan()).ToArray();
            default:
                throw new OnnxException($"ExportOnnx: expected weights of type Float32, got {type}.");
        }
    }

    private static Value? Copy(Graph again, Dictionary<Value, Value> copies, Value value)
    {
        if (copies.TryGetValue(value, out Value? copy))
        {
            return copy;
        }

        copy = value.Kind switch
        {
            ValueKind.Parameter => again.Use(value.Parameter!),
            ValueKind.Constant when value.Type == DType.Float32 =>
                again.Constant(MemoryMarshal.Cast<byte, float>(value.Data!.Bytes), value.Shape),
            ValueKind.Constant => again.ConstantInt32(MemoryMarshal.Cast<byte, int>(value.Data!.Bytes), value.Shape),
            _ => null,
        };
        if (copy is not null)
        {
            copies.Add(value, copy);
        }

        return copy;
    }
}
