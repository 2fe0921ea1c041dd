namespace FastNN.Explain;

/// <summary>Checks of options.</summary>
internal static class Requirements
{
    public static int AtLeast(int value, int least, string name) => value >= least
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name}: expected at least {least}.");

    public static float NotNegative(float value, string name) => value >= 0 && float.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name}: expected a finite number of at least 0.");

    public static float Positive(float value, string name) => value > 0 && float.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"{name}: expected a finite number above 0.");
}
