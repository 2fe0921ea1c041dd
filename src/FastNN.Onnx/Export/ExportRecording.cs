namespace FastNN.Onnx.Export;

/// <summary>
/// Records a model for inference, with symbols for the number of examples and, where the model takes that, for lengths of
/// sequences.
/// </summary>
internal static class ExportRecording
{
    public static (Value[] Inputs, (string Name, Value Value)[] Outputs) Record(
        Layer model, IReadOnlyList<ModelInput> signature, OnnxExportOptions options)
    {
        if (options.DynamicLengths)
        {
            // Each input with a length of its own; then those that were built alike with one; then none.
            foreach (bool shared in new[] { false, true })
            {
                Shape[] shapes = Lengths(signature, shared);
                if (shapes.Where((shape, i) => shape != signature[i].Shape).Any())
                {
                    try
                    {
                        return Record(model, signature, shapes, options);
                    }
                    catch (ShapeException)
                    {
                        // The model depends on the length.
                    }
                    catch (ArgumentException)
                    {
                        // Its shapes are computed with numbers, which symbols are not.
                    }
                }
            }
        }

        return Record(model, signature, [.. signature.Select(input => input.Shape)], options);
    }

    private static (Value[] Inputs, (string Name, Value Value)[] Outputs) Record(
        Layer model, IReadOnlyList<ModelInput> signature, Shape[] shapes, OnnxExportOptions options)
    {
        var graph = new Graph(GraphMode.Inference);
        Value[] inputs =
            [.. signature.Select((input, i) => graph.Input(shapes[i].Prepend(Dim.Batch), input.Type, input.Name))];
        Value[] given = inputs;
        if (options.ApplyPreprocessing && (model as FastNN.Model)?.Preprocessing is { } preprocessing)
        {
            given = inputs.Length == 1
                ? [preprocessing.Record(inputs[0])]
                : throw new InvalidOperationException(
                    $"ExportOnnx: expected preprocessing on a model of one input, this has {inputs.Length}; set ApplyPreprocessing to false, or Model.Preprocessing to null.");
        }

        IReadOnlyList<Value> outputs = model.Apply(given);
        return (inputs, [.. outputs.Select((value, i) => (model.OutputNames[i], value))]);
    }

    /// <summary>The inputs' shapes with symbols for the lengths of sequences.</summary>
    private static Shape[] Lengths(IReadOnlyList<ModelInput> signature, bool shared)
    {
        var shapes = new Shape[signature.Count];
        for (int i = 0; i < shapes.Length; i++)
        {
            Shape shape = signature[i].Shape;
            bool isSequence = signature[i].Type.IsFloat() ? shape.Rank == 2 : shape.Rank == 1;
            shapes[i] = isSequence && !Dim.IsSymbol(shape[0])
                ? new Shape([Dim.Named(shared ? $"length {shape[0]}" : i == 0 ? "length" : $"length of {signature[i].Name}"),
                    .. shape[1..]])
                : shape;
        }

        return shapes;
    }
}
