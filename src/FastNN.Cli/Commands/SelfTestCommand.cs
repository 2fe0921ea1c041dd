using System.CommandLine;
using FastNN.Cli.Checks;

namespace FastNN.Cli.Commands;

/// <summary>`fastnn selftest`</summary>
internal static class SelfTestCommand
{
    public static Command Create(CommandContext context)
    {
        Option<string> device = Settings.Device();
        Option<int?> threads = Settings.Threads();
        var references = new Option<bool>("--references")
        {
            Description = "Print the reference numbers as this machine's CPU computes them.",
            Hidden = true,
        };
        var command = new Command(
            "selftest",
            "Check the recipes' operators, losses and optimizers and a short training on a device: against one thread of the CPU, and that against "
            + "numbers of other machines.")
        {
            device, threads, references,
        };
        command.SetAction(result =>
        {
            if (result.GetValue(references))
            {
                SelfTest.WriteReferences(context.Output);
                return 0;
            }

            using Device opened = Devices.Open(result.GetValue(device)!, result.GetValue(threads), context.Output.WriteLine);
            return SelfTest.Run(opened, context.Output, context.Cancellation) ? 0 : 1;
        });
        return command;
    }
}
