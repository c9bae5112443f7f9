from xero_simulator.cli import main

main()
