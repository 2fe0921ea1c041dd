namespace FastNN.Peers;

/// <summary>One implementation of a case, with everything it needs prepared: only <see cref="Step"/> is timed.</summary>
internal interface IContender : IDisposable
{
    /// <summary>Names the implementation among those of its side, such as a memory layout.</summary>
    string Name { get; }

    void Step();
}
