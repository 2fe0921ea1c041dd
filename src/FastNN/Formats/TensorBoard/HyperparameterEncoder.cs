namespace FastNN.Formats;

/// <summary>
/// Writes what TensorBoard's table of hyperparameters reads (tensorboard/plugins/hparams of that project: plugin_data, api):
/// values of summaries with metadata and an empty tensor.
/// </summary>
internal static class HyperparameterEncoder
{
    private const int TypeString = 1, TypeBool = 2, TypeNumber = 3;
    private const int Succeeded = 1, Failed = 2;

    /// <summary>Which hyperparameters there are, and which scalars the table shows beside them.</summary>
    public static byte[] Experiment(
        IEnumerable<KeyValuePair<string, Hyperparameter>> values, IEnumerable<ComparedScalar> scalars, double time) =>
        Value("_hparams_/experiment", 2, writer =>
        {
            writer.Double(3, time);
            foreach ((string name, Hyperparameter value) in values)
            {
                int info = writer.Begin(4);
                writer.Element(1, name);
                writer.Int64(4, value.Value switch { string => TypeString, bool => TypeBool, _ => TypeNumber });
                writer.End(info);
            }

            foreach (ComparedScalar scalar in scalars)
            {
                int info = writer.Begin(5), name = writer.Begin(1);
                writer.Text(1, scalar.Folder);
                writer.Element(2, scalar.Tag);
                writer.End(name);
                writer.End(info);
            }
        });

    /// <summary>The hyperparameters of this run. Without a name for its group the run is a group of its own.</summary>
    public static byte[] Start(IEnumerable<KeyValuePair<string, Hyperparameter>> values, double time) =>
        Value("_hparams_/session_start_info", 3, writer =>
        {
            foreach ((string name, Hyperparameter value) in values)
            {
                int pair = writer.Begin(1);
                writer.Element(1, name);
                int inner = writer.Begin(2);
                switch (value.Value)
                {
                    case string text:
                        writer.Element(3, text);
                        break;
                    case bool truth:
                        writer.Int64(4, truth ? 1 : 0);
                        break;
                    default:
                        writer.Double(2, (double)value.Value!);
                        break;
                }

                writer.End(inner);
                writer.End(pair);
            }

            writer.Double(5, time);
        });

    /// <summary>How the run ended, and when.</summary>
    public static byte[] End(bool hasSucceeded, double time) => Value("_hparams_/session_end_info", 4, writer =>
    {
        writer.Int64(1, hasSucceeded ? Succeeded : Failed);
        writer.Double(2, time);
    });

    private static byte[] Value(string tag, int field, Action<WireWriter> write)
    {
        var content = new WireWriter();
        content.Message(field, write);
        var writer = new WireWriter();
        writer.Element(1, tag);

        // Readers drop a value without a tensor: an empty one, of floats and with one axis.
        int tensor = writer.Begin(8);
        writer.Int64(1, 1);
        int shape = writer.Begin(2);
        writer.Bytes(2, []);
        writer.End(shape);
        writer.End(tensor);
        EventEncoder.Plugin(writer, "hparams", content.Written.Span);
        return writer.Written.ToArray();
    }
}
