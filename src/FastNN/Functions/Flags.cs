namespace FastNN.Functions;

/// <summary>A choice that is made once per kernel, so that the loop has no branch.</summary>
internal interface IFlag
{
    static abstract bool Value { get; }
}

internal readonly struct Yes : IFlag
{
    public static bool Value => true;
}

internal readonly struct No : IFlag
{
    public static bool Value => false;
}
