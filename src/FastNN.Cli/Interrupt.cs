using System.Runtime.InteropServices;

namespace FastNN.Cli;

/// <summary>
/// Turns the first Ctrl-C, SIGTERM or SIGHUP (the terminal was closed) into a cancellation, so that a run can save itself; the
/// second ends the process.
/// </summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _signals;

    public Interrupt() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Handle(context, 129)),
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Handle(context, 130)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Handle(context, 143)),
    ];

    public CancellationToken Token => _source.Token;

    /// <summary>128 plus the signal's number, as shells have it; null before a signal came.</summary>
    public int? ExitCode { get; private set; }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void Handle(PosixSignalContext context, int code)
    {
        if (Interlocked.Increment(ref _signals) > 1)
        {
            return;
        }

        context.Cancel = true;
        ExitCode = code;
        _source.Cancel();
    }
}
