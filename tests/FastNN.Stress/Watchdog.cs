using System.Diagnostics;

namespace FastNN.Stress;

/// <summary>Ends the process where a thread does not come back from an operation, and says what every thread was doing.</summary>
internal sealed class Watchdog(int threads, TimeSpan patience)
{
    public const int ExitCode = 3;

    private readonly (string Operation, long Since)[] _doing = new (string, long)[threads];
    private readonly Lock _gate = new();

    public void Begin(int thread, string operation) => Set(thread, operation, Stopwatch.GetTimestamp());

    public void End(int thread) => Set(thread, "nothing", 0);

    public void Start() => new Thread(Watch) { IsBackground = true, Name = "watchdog" }.Start();

    private void Set(int thread, string operation, long since)
    {
        lock (_gate)
        {
            _doing[thread] = (operation, since);
        }
    }

    private void Watch()
    {
        while (true)
        {
            Thread.Sleep(500);
            lock (_gate)
            {
                if (!Array.Exists(_doing, doing => doing.Since != 0 && Stopwatch.GetElapsedTime(doing.Since) > patience))
                {
                    continue;
                }

                for (int i = 0; i < _doing.Length; i++)
                {
                    string time = _doing[i].Since == 0
                        ? ""
                        : $" for {Stopwatch.GetElapsedTime(_doing[i].Since).TotalSeconds:f1} s";
                    Console.Error.WriteLine($"HANG: thread {i} is at {_doing[i].Operation}{time}");
                }

                Console.Error.Flush();
                Environment.Exit(ExitCode);
            }
        }
    }
}
