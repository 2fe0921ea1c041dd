namespace FastNN.Cli.Running;

/// <summary>How long a training is, for schedules that end with it.</summary>
internal static class Steps
{
    /// <summary>Updates of some epochs; the last batch of each may be smaller.</summary>
    public static int Of(int examples, int batch, int epochs) => checked(epochs * ((examples + batch - 1) / batch));
}
